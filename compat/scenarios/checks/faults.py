"""Faults: struck on the cell's own server, at a moment that is known, with what they need; mended and waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compat.model.scenario import Scenario
from compat.model.steps import Strike
from compat.scenarios.complaint import Complaint, Path, nearest

#: Kind → where alone it can be struck.
_ONLY: Final = {
    **dict.fromkeys(("slot-unserved", "slot-torn", "slot-moved", "failed-over", "master-lost"), "cluster"),
    "read-only": "single",
}
#: Field → the kinds that take it.
_TAKES: Final[dict[str, tuple[str, ...]]] = {
    "blocked": ("connections-killed", "half-open"),
    "anew": ("half-open",),
    "word": ("reply-lost",),
    "before": ("scripts-flushed-within",),
    "ms": ("clock-stepped",),
    "keys": ("slot-torn",),
}
_NEEDS: Final = {
    "reply-lost": ("of", "word"),
    "scripts-flushed-within": ("of", "before"),
    "clock-stepped": ("of", "ms"),
    "driver-frozen": ("of",),
}
_AT_ONCE: Final = ("connections-killed", "scripts-flushed", "locks-evicted", "connection-reset")
_KNOWN_MOMENTS: Final = ("until", "capture", "fault", "mend", "await")
_ANSWERING: Final = ("add", "bulk", "flow", "call")


def faults_have_a_place(scenario: Scenario) -> Iterator[Complaint]:
    """Nothing is broken that others use, and a fault is one that the topology knows."""
    for index, strike in _strikes(scenario):
        path: Path = ("steps", index, "fault")
        if "own-server" not in scenario.needs:
            yield Complaint(path, "faults are struck on a server of the cell's own only; say `needs: [own-server]`")
        only = _ONLY.get(strike.kind)
        if only is not None and set(scenario.topologies) != {only}:
            yield Complaint((*path, "kind"), f"`{strike.kind}` is for one topology; say `topologies: [{only}]`")
        for field in _NEEDS.get(strike.kind, ()):
            if getattr(strike, field) is None:
                yield Complaint(path, f"`{strike.kind}` needs `{field}`")
        for field, kinds in _TAKES.items():
            if getattr(strike, field) not in (None, False, ()) and strike.kind not in kinds:
                yield Complaint((*path, field), f"`{strike.kind}` takes no `{field}`; {' and '.join(kinds)} does")


def faults_strike_at_a_known_moment(scenario: Scenario) -> Iterator[Complaint]:
    """A fault follows a wait, or a capture, which waits for workers to be at rest: else luck decides what it hits."""
    started = False
    for index, step in enumerate(scenario.steps):
        started |= step.start is not None
        before = scenario.steps[index - 1].verb if index else ""
        if step.fault is not None and started and before not in _KNOWN_MOMENTS:
            message = f"`{before}` waits for nothing, so this would strike at any moment; write an `until` before it"
            yield Complaint(("steps", index, "fault"), message)


def faults_are_mended_once(scenario: Scenario) -> Iterator[Complaint]:
    """What is mended was struck, and lasts; what is struck anew has been mended."""
    struck: set[str] = set()
    for index, step in enumerate(scenario.steps):
        if step.fault is not None:
            if step.fault.name in struck:
                message = f"`{step.fault.name}` is struck already; mend it first, or name this one with `as`"
                yield Complaint(("steps", index, "fault"), message)
            if step.fault.kind not in _AT_ONCE:
                struck.add(step.fault.name)
        if step.mend is not None and step.mend not in struck:
            message = f"no fault `{step.mend}` lasts here; {nearest(step.mend, struck)}"
            yield Complaint(("steps", index, "mend"), message)
        struck.discard(step.mend or "")
    for name in sorted(struck):
        message = f"`{name}` is never mended; write `- mend: {name}`, so that the end is seen with all in order"
        yield Complaint(("steps", len(scenario.steps) - 1), message)


def later_calls_are_awaited(scenario: Scenario) -> Iterator[Complaint]:
    """A call that is left for later is a call, and is waited for before the end."""
    pending: dict[str, int] = {}
    for index, step in enumerate(scenario.steps):
        if step.later is not None:
            if step.verb not in _ANSWERING:
                yield Complaint(("steps", index, "later"), f"`{step.verb}` is no call that could be left for later")
            if step.later in pending:
                yield Complaint(("steps", index, "later"), f"`{step.later}` is awaited already; choose another name")
            pending[step.later] = index
        if step.await_ is not None and pending.pop(step.await_, None) is None:
            message = f"no call was left for later as `{step.await_}`; {nearest(step.await_, pending)}"
            yield Complaint(("steps", index, "await"), message)
    for name, index in pending.items():
        yield Complaint(("steps", index, "later"), f"nobody waits for its end; write `- await: {name}` after it")


def losses_come_from_faults(scenario: Scenario) -> Iterator[Complaint]:
    """A loss has a cause, some harm or a guest of another version, and a reason."""
    harmed = any(step.fault or step.kill or step.expire for step in scenario.steps)
    guests = any(spec.impl is not None for spec in scenario.objects.values())
    for index, loss in enumerate(scenario.losses):
        path: Path = ("losses", index)
        if not loss.why.strip():
            yield Complaint((*path, "why"), "say why no client can prevent it")
        if not (harmed or guests):
            yield Complaint(path, "no step does harm (`fault`, `kill`, `expire`), so nothing may be lost")


def _strikes(scenario: Scenario) -> Iterator[tuple[int, Strike]]:
    return ((index, step.fault) for index, step in enumerate(scenario.steps) if step.fault is not None)
