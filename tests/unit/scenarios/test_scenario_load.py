"""Files become scenarios, or complaints with a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat.scenarios import NoSuchScenario, ScenarioError, load, load_text, pick

Spoil = Callable[[str, str], str]
First = Callable[[str], Any]


def test_a_good_scenario_is_loaded_whole(good: str) -> None:
    scenario = load_text(good)
    assert (scenario.id, len(scenario.steps), scenario.steps[0].verb) == ("retry/fixed", 7, "add")


@pytest.mark.parametrize(
    ("old", "new", "line", "part"),
    [
        ("name: n,", "name: 5,", 15, "this is int, expected str"),
        ("name: n, data", "nmae: n, name: n, data", 15, "no field `nmae`"),
        ("on: q, as: j, name: n", "on: q, as: j", 15, "field `name` is missing"),
        ("{queue: mail}", "{queue: 7}", 7, "this is int"),
        ("{worker: mail}", "{worker: mail, flavour: x}", 8, "no field `flavour`"),
        ("schema: 1", "schema: 2", 1, "Invalid enum value 2"),
        ("title: A failing job is tried again\n", "", 1, "field `title` is missing"),
        ("state: {completed: 1", "state: {completed: some", 20, "this is str, expected int"),
    ],
)
def test_a_value_of_the_wrong_shape_is_named_with_its_line(
    spoiled: Spoil, complaint: First, old: str, new: str, line: int, part: str
) -> None:
    found = complaint(spoiled(old, new))
    assert (found.line, part in found.message) == (line, True), str(found)


def test_a_complaint_names_file_line_and_place(spoiled: Spoil, complaint: First) -> None:
    assert str(complaint(spoiled("name: n,", "name: 5,"))).startswith("s.yaml:15: steps[0].add.name: ")


def test_a_folder_is_loaded_by_id(tmp_path: Path, good: str) -> None:
    (tmp_path / "retry").mkdir()
    (tmp_path / "retry/zeta.yaml").write_text(good.replace("retry/fixed", "retry/zeta"))
    (tmp_path / "retry/fixed.yaml").write_text(good)
    assert [scenario.id for scenario in load([tmp_path])] == ["retry/fixed", "retry/zeta"]


def test_files_that_no_pattern_means_are_not_read(tmp_path: Path, good: str) -> None:
    for name, text in (
        ("retry/zeta", good.replace("retry/fixed", "retry/zeta")),
        ("retry/fixed", good),
        ("job/add", ""),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.yaml").write_text(text)
    assert [scenario.id for scenario in pick(tmp_path, ["retry/*"])] == ["retry/fixed", "retry/zeta"]
    assert [scenario.id for scenario in pick(tmp_path, ["*/zeta", "retry/fixed"])] == ["retry/fixed", "retry/zeta"]
    for patterns in ([], ["job/*"], ["retry/fixed", "nothing/*"]):
        with pytest.raises(ScenarioError, match="the file is empty"):
            pick(tmp_path, patterns)
    (tmp_path / "job/add.yaml").unlink()
    with pytest.raises(NoSuchScenario, match=r"did you mean `retry/fixed`"):
        pick(tmp_path, ["retry/fixde"])


def test_a_file_named_itself_is_loaded_once(tmp_path: Path, good: str) -> None:
    (tmp_path / "retry").mkdir()
    file = tmp_path / "retry/fixed.yaml"
    file.write_text(good)
    assert len(load([file, tmp_path])) == 1


def test_an_id_that_is_not_the_files_place_is_refused(tmp_path: Path, good: str) -> None:
    (tmp_path / "retry.yaml").write_text(good)
    with pytest.raises(ScenarioError, match="the file's place says `retry`"):
        load([tmp_path])


def test_every_broken_file_is_named_at_once(tmp_path: Path, good: str) -> None:
    (tmp_path / "one.yaml").write_text("a: [")
    (tmp_path / "two.yaml").write_bytes(b"\xff")
    with pytest.raises(ScenarioError) as raised:
        load([tmp_path, tmp_path / "three.yaml"])
    assert {Path(found.file).name for found in raised.value.complaints} == {"one.yaml", "two.yaml", "three.yaml"}


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"no \.yaml file"):
        load([tmp_path])
