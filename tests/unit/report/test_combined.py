"""The shards of one run become one run; anything else is refused."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from compat.judge import exit_code
from compat.model.history import Implementation
from compat.report.collected import Run
from compat.report.combined import CombineError, combined


@pytest.fixture
def shards(run: Run) -> dict[str, Run]:
    assert run.footer is not None

    def part(number: int, start: int, end: int) -> Run:
        verdicts = run.verdicts[start:end]
        header = replace(
            run.header, shard=f"{number}/2", plan="p", planned=len(run.verdicts), cells=len(verdicts),
            titles={verdicts[0].cell.scenario: "t"},
        )  # fmt: skip
        return Run(header, verdicts, replace(run.footer, cells=len(verdicts), seconds=float(number)))  # type: ignore[type-var]

    return {"1.jsonl": part(1, 0, 4), "2.jsonl": part(2, 4, 10)}


def changed(run: Run, **fields: Any) -> Run:
    return Run(replace(run.header, **fields), run.verdicts, run.footer)


def test_all_cells_stand_in_the_whole_and_decide_its_exit_code(run: Run, shards: dict[str, Run]) -> None:
    whole = combined(shards, exit_code)
    assert whole.words == run.words and whole.checks == run.checks
    assert (whole.header.shard, whole.header.cells, whole.header.scenarios) == ("", 10, 5)
    assert whole.footer is not None
    assert (whole.footer.exit_code, whole.footer.seconds, whole.footer.cells) == (3, 2.0, 10)
    assert len(whole.header.titles) == 2


def refused(shards: dict[str, Run], words: str) -> None:
    with pytest.raises(CombineError, match=words):
        combined(shards, exit_code)


def test_a_gap_is_refused(shards: dict[str, Run]) -> None:
    refused({"1.jsonl": shards["1.jsonl"]}, "missing: shard 2/2")


def test_a_shard_that_stands_twice_is_refused(shards: dict[str, Run]) -> None:
    refused(shards | {"3.jsonl": shards["1.jsonl"]}, "1.jsonl and 3.jsonl are both shard 1/2")


def test_a_cell_that_stands_twice_is_refused(shards: dict[str, Run]) -> None:
    two = shards["2.jsonl"]
    refused(
        shards | {"2.jsonl": Run(two.header, (*two.verdicts, shards["1.jsonl"].verdicts[0]), two.footer)}, "stands in"
    )


def test_a_shard_that_lacks_cells_is_refused(shards: dict[str, Run]) -> None:
    two = shards["2.jsonl"]
    refused(shards | {"2.jsonl": Run(two.header, two.verdicts[1:], two.footer)}, "9 cells stand.*10 were planned")


def test_an_interrupted_shard_is_refused(shards: dict[str, Run]) -> None:
    two = shards["2.jsonl"]
    refused(shards | {"2.jsonl": Run(two.header, two.verdicts)}, "no footer")


@pytest.mark.parametrize(
    "fields",
    [
        {"harness": "9"},
        {"gate": "note"},
        {"plan": "other"},
        {"servers": {}},
        {"port": Implementation("gopherq", "0.4", "Go", "5.62.0")},
        {"oracle": Implementation("bullmq", "5.63.0", "JavaScript", "5.63.0")},
    ],
)
def test_mixed_versions_are_refused(shards: dict[str, Run], fields: dict[str, Any]) -> None:
    refused(shards | {"2.jsonl": changed(shards["2.jsonl"], **fields)}, "is of another run")


def test_shards_of_several_divisions_are_refused(shards: dict[str, Run]) -> None:
    refused(shards | {"2.jsonl": changed(shards["2.jsonl"], shard="2/3")}, "several divisions")


def test_a_whole_run_is_no_shard(shards: dict[str, Run]) -> None:
    refused({"1.jsonl": changed(shards["1.jsonl"], shard="")}, "is no shard")


@pytest.mark.parametrize("shard", ["1/x", "3/2", "2", "0/2"])
def test_a_shard_that_is_none_is_refused(shards: dict[str, Run], shard: str) -> None:
    refused(shards | {"2.jsonl": changed(shards["2.jsonl"], shard=shard)}, f"2.jsonl: '{shard}' is no shard")
