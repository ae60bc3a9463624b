"""docs/kills.md tells of the faults and scenarios that there are (T163)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from faults import FAULTS
from faults.history import SEEDED, UNSEEDED
from kills import BEYOND, KILLS
from matrix_page import PAGE, render
from matrix_record import Kill, Played, Store, digest
from traffic import Traffic

from compat.model.scenario import Scenario
from compat.scenarios import load

ROOT = Path(__file__).resolve().parents[2]
_AGAIN = "run python3 ci kills"


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / PAGE).read_text("utf-8")


@pytest.fixture(scope="module")
def scenarios() -> tuple[Scenario, ...]:
    return load([ROOT / "scenarios"])


def test_every_fault_that_there_is_has_a_section(page: str) -> None:
    assert set(re.findall(r"^### (\S+)$", page, flags=re.M)) == FAULTS.keys(), _AGAIN


def test_the_pairs_that_are_tested_are_those_that_are_told(page: str) -> None:
    told = re.findall(r"^### (\S+)\n\n.*Seen by `(\S+)` as `(.+?)`", page, flags=re.M)
    assert {fault: (scenario, check) for fault, scenario, check in told} == KILLS, _AGAIN


def test_every_scenario_kills_something(page: str, scenarios: tuple[Scenario, ...]) -> None:
    rows = {name: int(number) for name, number in re.findall(r"^\| (\S+/\S+) \| (\d+) \|$", page, flags=re.M)}
    assert min(rows.values()) > 0
    assert rows.keys() | BEYOND.keys() == {scenario.id for scenario in scenarios}, _AGAIN
    assert not rows.keys() & BEYOND.keys(), "what kills something is not beyond killing"


def test_every_bug_that_scenarios_show_is_seeded_or_it_is_said_why_not() -> None:
    rows = re.findall(r"^\| (\d+) \|[^|]*\|(.*)\|$", (ROOT / "docs" / "divergences.md").read_text("utf-8"), flags=re.M)
    shown = {int(number) for number, names in rows if re.search(r"`[^`:]+`", names)}
    seeded = {number for numbers in SEEDED.values() for number in numbers}
    assert SEEDED.keys() <= FAULTS.keys()
    assert seeded <= {int(number) for number, _ in rows}
    assert shown <= seeded | UNSEEDED.keys()
    assert not seeded & UNSEEDED.keys()


def test_a_bug_of_a_real_port_is_told_with_its_number(tmp_path: Path) -> None:
    text = render((), {"backoff-ignored": FAULTS["backoff-ignored"]}, Store(tmp_path / "played.jsonl", FAULTS))
    assert "#2265, [divergence 26](divergences.md)." in text


def test_what_was_played_is_kept_until_the_scenario_changes(tmp_path: Path, scenarios: tuple[Scenario, ...]) -> None:
    one, other = scenarios[:2]
    store = Store(tmp_path / "played.jsonl", FAULTS)
    store.add("no-marker", one.id, Played(digest(one), Kill(("end/marker",))))
    store.add("no-marker", other.id, Played(digest(other)))
    store.add("forgotten-since", one.id, Played(digest(one)))
    again = Store(tmp_path / "played.jsonl", FAULTS)
    assert again.of("no-marker") == {
        one.id: Played(digest(one), Kill(("end/marker",))),
        other.id: Played(digest(other)),
    }
    assert again.of("forgotten-since") == {}
    assert again.killers() == {one.id}
    assert set(again.missing(scenarios)) == {scenario.id for scenario in scenarios[2:]}


def test_a_fault_is_told_with_its_cause_its_killers_and_their_checks(
    tmp_path: Path, scenarios: tuple[Scenario, ...]
) -> None:
    store = Store(tmp_path / "played.jsonl", FAULTS)
    for name, check in (("job/add", "end/marker"), ("job/lifo", "end/marker"), ("delay/far", "late/step-2")):
        store.add("no-marker", name, Played("", Kill((check,))))
    text = render(scenarios, {"no-marker": FAULTS["no-marker"]}, store)
    assert "Seen by `job/add` as `marker`, and by 2 more: marker (2), late (1)." in text
    assert "delay: far; job: lifo" in text
    assert "| delay/far | 1 |" in text and "| job/bulk |" not in text


@pytest.mark.parametrize(
    ("fault", "traffic", "shows"),
    [
        ("lifo-ignored", Traffic(asked={'{"method": "queue.add", "params": {"opts": {"lifo": true}}}'}), True),
        ("lifo-ignored", Traffic(asked={'{"method": "queue.add", "params": {"opts": {}}}'}), False),
        ("never-paused", Traffic(answered={("queue.isPaused", "true")}), True),
        ("never-paused", Traffic(answered={("queue.isPaused", "false"), ("worker.isPaused", "true")}), False),
        ("drained-untold", Traffic(told={'{"method": "worker.event", "params": {"event": "drained"}}'}), True),
        ("marker-of-another-queue", Traffic(sent={(b"BZPOPMIN", b"k", b"5")}), True),
        ("marker-of-another-queue", Traffic(sent={(b"ZPOPMIN", b"k")}), False),
        ("no-marker", Traffic(called={"addStandardJob"}), True),
        ("no-marker", Traffic(called={"addDelayedJob"}), False),
        ("discard-ignored", Traffic(reached={"discard-ignored"}), True),
        ("discard-ignored", Traffic(called={"addStandardJob"}), False),
        ("defaults-ignored", Traffic(), True),  # it stands in for a value: who knows when that is looked at
    ],
)
def test_a_fault_is_played_where_it_would_change_what_passes_by(fault: str, traffic: Traffic, shows: bool) -> None:
    assert traffic.shows(FAULTS[fault]) is shows
