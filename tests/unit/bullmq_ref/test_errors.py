"""What can fail, and whether another try helps (T018, T019)."""

from __future__ import annotations

import pytest
from redis import exceptions as redis_errors

from bullmq_ref import errors


@pytest.mark.parametrize(
    "error",
    [
        errors.ConnectionLost("x"),
        errors.OutcomeUnknown("x"),
        ConnectionResetError(),
        TimeoutError(),
        redis_errors.TimeoutError(),
        redis_errors.BusyLoadingError("LOADING"),
        redis_errors.ReadOnlyError("READONLY"),
        redis_errors.ClusterDownError("CLUSTERDOWN"),
        redis_errors.MovedError("1 127.0.0.1:1"),
        redis_errors.AskError("1 127.0.0.1:1"),
        redis_errors.ResponseError("TRYAGAIN later"),
        redis_errors.ResponseError("BUSY Redis is busy running a script"),
        redis_errors.OutOfMemoryError("command not allowed when used memory > 'maxmemory'"),
        errors.from_reply(redis_errors.ReadOnlyError("READONLY")),
    ],
)
def test_these_may_pass(error: Exception) -> None:
    """(T018)"""
    assert errors.is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.Invalid("x"),
        errors.JobNotExist(job="1", command="x"),
        errors.ConnectionClosed("x"),
        ValueError(),
        redis_errors.ResponseError("WRONGTYPE Operation"),
        redis_errors.AuthenticationError("NOAUTH"),
        errors.from_reply(redis_errors.ResponseError("ERR user_script:1: oops")),
    ],
)
def test_these_will_not(error: Exception) -> None:
    """(T019)"""
    assert not errors.is_transient(error)


def test_each_code_of_a_script_has_its_exception_and_nodes_text() -> None:
    error = errors.refused(-6, command="moveToFinished", job="7", state="active")
    assert isinstance(error, errors.JobLockMismatch)
    assert (error.symbol, error.code, str(error)) == (
        "JobLockMismatch",
        -6,
        "Lock mismatch for job 7. Cmd moveToFinished from active",
    )
    assert isinstance(errors.refused(-9, command="x", job="1"), errors.UnrecoverableError)
    assert str(errors.refused(-42, command="x", job="1")) == "Unknown code -42 error for 1. x"
    codes = {kind.code for kind in errors.Refused.__subclasses__() if kind.symbol != "unclassified"}
    assert codes == set(range(-11, 0))


def test_keys_over_several_slots_have_a_symbol() -> None:
    assert errors.from_reply(redis_errors.ClusterCrossSlotError("Keys")).symbol == "CrossSlot"
    assert errors.from_reply(redis_errors.ResponseError("WRONGTYPE x")).symbol == "ScriptError"


def test_every_error_says_whether_another_try_helps() -> None:
    """(T015)"""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BullMQError)]
    transient = {kind.__name__ for kind in kinds if kind.transient}
    assert transient == {"ConnectionLost", "OutcomeUnknown"}
    assert len(kinds) > 20
