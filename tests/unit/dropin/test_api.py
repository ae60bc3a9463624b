"""The drop-in has the names and call shapes of PyPI's `bullmq`, and says which it leaves out."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bullmq_ref import dropin

DATA = Path(__file__).resolve().parents[2] / "data"
VERSIONS = ("2.17.0", "3.4.0")

#: What the package shows but does not offer: its own steps, which nobody calls from outside.
INTERNAL = {
    "FlowProducer": {"addChildren", "addNode", "addNodes", "queueFromNode"},
    "Job": {"isInList", "isInZSet", "updateStacktrace"},
    "LockManager": None,
    "Worker": {
        "cancelProcessing", "getBlockTimeout", "isConnectionError", "jobScheduler", "maximumBlockTimeout",
        "minimumBlockTimeout", "moveToActive", "nextJobFromJobData", "processJob", "retryIfFailed",
        "runStalledJobsCheck", "waitForJob",
    },
}  # fmt: skip


def wanted() -> Iterator[tuple[str, str, Any]]:
    """Class, member and its parameters, of all versions."""
    for version in VERSIONS:
        api = json.loads((DATA / f"pypi_bullmq_api-{version}.json").read_text("utf-8"))
        for kind, members in api.items():
            for member, parameters in members.items():
                if INTERNAL.get(kind, set()) is not None and member not in INTERNAL.get(kind, set()):
                    yield kind, member, parameters


def shape(function: Any) -> list[str]:
    found = [one for one in inspect.signature(function).parameters.values() if one.name != "self"]
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [stars.get(one.kind, "") + one.name + ("" if one.default is one.empty else "=") for one in found]


@pytest.mark.parametrize(("kind", "member", "parameters"), sorted(wanted(), key=repr))
def test_a_call_that_the_package_takes_is_taken(kind: str, member: str, parameters: Any) -> None:
    """Parameters have the same names in the same order; what may be left out there may be left out here."""
    there = getattr(dropin, kind)
    if issubclass(there, BaseException):
        assert there("text").args == ("text",)
        return
    found = there if member == "__init__" else inspect.getattr_static(there, member)
    if parameters == "property":
        assert isinstance(found, property)
        return
    ours = shape(getattr(found, "__func__", found))
    assert [name.rstrip("=") for name in ours[: len(parameters)]] == [name.rstrip("=") for name in parameters]
    assert all(mine.endswith("=") or not theirs.endswith("=") for mine, theirs in zip(ours, parameters, strict=False))
    assert all(name.endswith("=") for name in ours[len(parameters) :])


def test_what_is_left_out_is_left_out() -> None:
    """Else the list of what is internal would not be true."""
    for kind, members in INTERNAL.items():
        if members is None:
            assert not hasattr(dropin, kind)
        else:
            assert [name for name in members if hasattr(getattr(dropin, kind), name)] == []


def test_all_names_of_the_dropin_are_the_packages() -> None:
    assert set(dropin.__all__) <= {kind for kind, _, _ in wanted()}
