"""Quirks: what the oracle's version does wrong is told whole, and allows no more than it says."""

from __future__ import annotations

from collections.abc import Iterator

from compat.model.scenario import Scenario
from compat.scenarios.complaint import Complaint, Path


def quirks_are_told_whole(scenario: Scenario) -> Iterator[Complaint]:
    """A quirk has a name of its own, a reason, the version that mends it, facts to know it by, and places."""
    names = [quirk.name for quirk in scenario.quirks]
    for index, quirk in enumerate(scenario.quirks):
        path: Path = ("quirks", index)
        for field in ("name", "reason", "mended"):
            if not getattr(quirk, field).strip():
                yield Complaint((*path, field), "it is empty; say it in words")
        if quirk.name in names[:index]:
            yield Complaint((*path, "name"), f"`{quirk.name}` is a quirk already; choose another name")
        if not quirk.expect:
            yield Complaint((*path, "expect"), "it is empty; say what holds where the quirk is mended, and only there")
        if not quirk.places:
            yield Complaint((*path, "places"), "it is empty; name the checks that may differ, as `end/delayed`")
        for place, glob in enumerate(quirk.places):
            if "/" not in glob or glob.startswith("*"):
                message = f"`{glob}` allows too much; write SCOPE/WHAT, with a capture or `run` as the scope"
                yield Complaint((*path, "places", place), message)


def may_raise_belongs_to_a_quirk(scenario: Scenario) -> Iterator[Complaint]:
    """A call may end with one error or another only where a quirk says why."""
    for index, step in enumerate(scenario.steps):
        path: Path = ("steps", index, "mayRaise")
        if step.may_raise is not None and not scenario.quirks:
            yield Complaint(path, "no quirk says why; add one under `quirks`, or say `raises`")
        if step.may_raise is not None and step.raises is not None:
            yield Complaint(path, "the call raises in any case; remove one of `raises` and `mayRaise`")
