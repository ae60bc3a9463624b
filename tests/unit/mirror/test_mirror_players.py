"""What is added to the shadow queue, and what a stand-in is told to do."""

from __future__ import annotations

import json

import msgspec
import pytest

from compat.mirror.model import End, Input, Pair
from compat.mirror.players import KEPT, portions, told
from compat.mirror.source import Marks, marks


def pair(outcome: str, value: str, attempts: int | None) -> Pair:
    return Pair("m-1-0", "1", "n", End(outcome, value, attempts))  # type: ignore[arg-type]


def answer(known: Pair | None, made: int, allowed: int = 1) -> dict[str, object]:
    end = told(known, {"id": "m-1-0", "attemptsMade": made, "opts": {"attempts": allowed}})
    found: dict[str, object] = json.loads(msgspec.json.encode(end))
    return found


def test_the_last_attempt_ends_as_production_did() -> None:
    assert answer(pair("completed", '{"a":1}', 1), 0) == {"return": {"a": 1}}
    assert answer(pair("failed", "boom", 1), 0) == {"throw": "boom"}


def test_earlier_attempts_fail() -> None:
    assert "earlier" in str(answer(pair("completed", "1", 3), 1, 3)["throw"])
    assert answer(pair("completed", "1", 3), 2, 3) == {"return": 1}


def test_a_job_that_failed_before_its_attempts_were_used_up_fails_for_good() -> None:
    assert answer(pair("failed", "no", 1), 0, 3) == {"throw": {"type": "unrecoverable", "message": "no"}}


def test_a_job_that_nobody_knows_is_told_so() -> None:
    assert "none of the mirror's" in str(answer(None, 0)["throw"])


def test_replays_have_ids_of_their_own_and_are_kept() -> None:
    ((job,),) = portions({"m-5-0": Input("n", '{"a": 1}', {"attempts": 2, "timestamp": 7})})
    kept = {"count": KEPT}
    opts = {"attempts": 2, "timestamp": 7, "removeOnComplete": kept, "removeOnFail": kept, "jobId": "m-5-0"}
    assert json.loads(msgspec.json.encode(job)) == {"name": "n", "data": {"a": 1}, "opts": opts}


def test_calls_are_bounded_in_jobs_and_in_bytes() -> None:
    many = {f"m-{number}-0": Input("n", "{}") for number in range(250)}
    assert [len(jobs) for jobs in portions(many)] == [100, 100, 50]
    large = {f"m-{number}-0": Input("n", json.dumps("x" * 3 * 2**20)) for number in range(3)}
    assert [len(jobs) for jobs in portions(large)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([b"2", b"1000", b"1250"], Marks(2, 250.0, 1250.0)),
        ([b"2", b"1000", None], Marks(None, None)),  # under way again
        ([None, None, None], Marks(None, None)),  # gone
        ([None, None, b"1250"], Marks(None, None, 1250.0)),
        ([b"x", b"1000", b"1250"], Marks(None, 250.0, 1250.0)),
    ],
)
def test_marks_are_those_of_an_attempt_that_has_ended(answer: list[bytes | None], expected: Marks) -> None:
    assert marks(answer) == expected
