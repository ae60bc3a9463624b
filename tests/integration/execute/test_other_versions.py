"""Later versions of Node's BullMQ: beside the port on one queue, as a port that does better, and as the oracle."""

from __future__ import annotations

from pathlib import Path

from compat.cli.known import load as load_baseline
from compat.execute import Options, run
from compat.model.run import CellEntry
from compat.model.verdict import CellVerdict
from compat.scenarios import pick

ROOT = Path(__file__).resolve().parents[3]
QUIRKY = ("priority/bounds", "flow/missing-parent", "scheduler/collision-every")


async def verdicts(*patterns: str, **options: object) -> list[CellVerdict]:
    scenarios = pick(ROOT / "scenarios", patterns)
    chosen = Options(scenarios=scenarios, topologies=("single",), **options)  # type: ignore[arg-type]
    return [record.verdict async for record in run(chosen) if isinstance(record, CellEntry)]


async def test_a_port_beside_another_version_loses_what_node_loses_and_it_is_counted() -> None:
    """(T152)"""
    found = {v.cell.scenario: v for v in await verdicts("skew/pause-*", "skew/delayed-*", implementation="ref")}
    assert {v.word for v in found.values()} == {"pass"}, [(v.cell.id, v.reason, v.differences) for v in found.values()]
    assert found["skew/pause-new-resume-old"].losses == {"lost": 1}
    assert found["skew/pause-old-resume-new"].losses == {}


async def test_a_version_without_a_quirk_passes_where_it_has_it_mended_and_so_does_one_with_it() -> None:
    for implementation, oracle, seen in (
        ("node@6.7.0", "node@5.62.0", "mended"),
        ("ref", "node@6.7.0", "kept"),
        ("ref", "node@5.62.0", "kept"),
    ):
        found = await verdicts(*QUIRKY, implementation=implementation, oracle=oracle, arms=("self",))
        assert {v.word for v in found} == {"pass"}, [(v.cell.id, v.reason, v.differences) for v in found]
        assert {what for v in found for what in v.quirks.values()} == {seen}


async def test_the_baseline_of_a_later_version_knows_how_it_differs() -> None:
    """(T163)"""
    known = load_baseline(ROOT / "known/node-6.7.0.yaml")
    found = await verdicts(
        "pause/lists", "retry/by-hand", "job/add", implementation="node@6.7.0", known=known, arms=("self",)
    )
    assert {v.cell.scenario: v.word for v in found} == {
        "job/add": "pass", "pause/lists": "known", "retry/by-hand": "known"
    }  # fmt: skip
