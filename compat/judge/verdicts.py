"""The verdict on one cell: what the port did, held against the oracle, the laws and the scenario's own facts."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from compat.compare import Comparison, broken_laws, compare, holds, lateness, missed_facts
from compat.compare.laws import LAWS
from compat.compare.levels import at_least
from compat.judge.quirks import excused, parted, seen, softened
from compat.model.history import Failure, History
from compat.model.scenario import Scenario
from compat.model.steps import Step
from compat.model.verdict import CellVerdict, Difference, Level, Word
from compat.normalise import Canonical
from compat.normalise.names import Names
from compat.normalise.text import walk

#: The version of BullMQ whose quirks scenarios name.
TARGET: Final = "5.62.0"
#: Failures that are no judgement on the port's behaviour in this scenario.
_ERRORS: Final = ("protocol", "environment")
_MS: Final = re.compile(r"(?<!\d)\d{13}(?!\d)")  # a time in ms, within a text


def oracle_trouble(scenario: Scenario, oracle: History) -> str | None:
    """Why this history of the oracle cannot be compared with; None when it can.

    The scenario is then invalid, not the port: the oracle broke off, misses a fact, breaks a law that the scenario does
    not except, or ended a call in another way than the scenario says.
    """
    if oracle.failure is not None:
        return f"the oracle did not come to the end: {_failure(scenario, oracle.failure)}"
    for outcome in oracle.outcomes:
        at = _step(scenario, outcome.step)
        step = scenario.steps[outcome.step] if 0 <= outcome.step < len(scenario.steps) else Step()
        raises = step.raises
        if step.unknown:
            continue
        if outcome.problem is not None and outcome.problem.symbol == "unclassified":
            return f"{at}: `{outcome.method}` raised an error that has no symbol: {outcome.problem.text}"
        if raises is not None and outcome.problem is not None and outcome.problem.symbol != raises:
            return f"{at}: `{outcome.method}` raised {outcome.problem.symbol}, not {raises}"
    for number, step in enumerate(scenario.steps):
        ended = [outcome for outcome in oracle.outcomes if outcome.step == number]
        if step.raises is not None and ended and not any(outcome.problem for outcome in ended):
            return f"{_step(scenario, number)}: `{ended[-1].method}` should raise {step.raises} and did not"
    for span, late in lateness(scenario, oracle).items():
        if late == math.inf:
            return f"the oracle never came to both moments of the span `{span}`"
    better = seen(scenario, oracle)
    for name, what in better.items():
        if what == "mended" and oracle.sides["oracle"].bullmq == TARGET:
            return f"the oracle, {TARGET}, does not have the quirk {name}: what `expect` of it says holds already"

    def mended(name: str) -> bool:
        return better[name] == "mended"

    missed = [m for m in missed_facts(scenario, oracle) if not excused(scenario, f"end/expect/{m.number}", mended)]
    if missed:
        return f"the oracle misses what the scenario expects ({missed[0].number}): {missed[0].words}" + _more(missed)
    laws = broken_laws(scenario, oracle)
    broken = [b for b in laws if not excused(scenario, f"{b.capture}/laws/{b.law}", mended)]
    if broken:
        first = broken[0]
        return f"the oracle breaks the law {first.law} at {first.capture}: {first.words}" + _more(broken)
    return None


def judge(scenario: Scenario, oracle: History | Canonical, port: History, gate: Level = "encoding") -> CellVerdict:
    """The verdict on the port's cell.

    `fail` when a difference is at or above `gate`; milder ones are listed under a `pass`. The default gate lets only
    notes through: of the rest, each is something that a program can trip over. In `shadow` both sides work on one
    queue, so that chance decides who did what: laws and the scenario's facts judge there, not the comparison; and where
    the scenario says so, because a fault leaves more than one right way to go on.
    """
    cell = port.cell
    stderr = port.failure.stderr if port.failure is not None else ()
    trouble = oracle_trouble(scenario, oracle) if isinstance(oracle, History) else None  # a golden was without
    if trouble is not None:
        return CellVerdict(cell, "invalid", reason=trouble, seconds=port.seconds)
    if port.failure is not None:
        reason = _failure(scenario, port.failure)
        if port.failure.kind == "unsupported":
            return CellVerdict(cell, "not-applicable", reason=reason, hint=port.failure.hint, seconds=port.seconds)
        if port.failure.kind in _ERRORS:
            return CellVerdict(
                cell, "error", reason=reason, hint=port.failure.hint, seconds=port.seconds, stderr=stderr
            )
    lawful = cell.arm == "shadow" or scenario.judge == "laws"
    compared = Comparison() if lawful else compare(scenario, oracle, port)
    quirks = seen(scenario, port) if port.failure is None else {}
    differ = parted(seen(scenario, oracle) if isinstance(oracle, History) else {}, quirks)  # a golden is of the target
    own = [*_lawless(scenario, port), *_unmet(scenario, port)]
    found = [
        *_stopped(scenario, port),
        *softened(scenario, compared.differences, differ),
        *softened(scenario, own, lambda name: quirks.get(name) == "mended"),
    ]
    made = {
        **compared.made,
        **{f"{capture.label}/laws": len(LAWS) for capture in port.captures},
        **{f"end/expect/{number}": 1 for number, _ in enumerate((*scenario.expect, *scenario.losses), 1)},
    }
    word: Word = "fail" if any(at_least(difference.level, gate) for difference in found) else "pass"
    return CellVerdict(
        cell,
        word,
        checks=sum(made.values()),
        made=made,
        differences=tuple(found),
        reason=_failure(scenario, port.failure) if port.failure is not None else "",
        hint=port.failure.hint if port.failure is not None else "",
        seconds=port.seconds,
        stderr=stderr,
        faults=tuple(_faults(port)),
        losses=dict(Counter(loss.kind for loss in scenario.losses if holds(scenario, port, loss.shown))),
        quirks=quirks,
    )


def _faults(port: History) -> Iterator[str]:
    """What was struck, in words."""
    for struck in port.struck:
        whom = f" of {struck.of}" * bool(struck.of) + f" ({struck.side})" * (struck.side is not None)
        lasted = max(0.0, struck.mended_ms - struck.since_ms)
        yield f"{struck.kind}{whom} at step {struck.step + 1}, for {lasted:.0f} ms"


def _stopped(scenario: Scenario, port: History) -> Iterator[Difference]:
    """A port that did not come to the end: the step it stuck at is a difference, and breaks its peers."""
    if port.failure is not None:
        yield Difference(
            check=f"{scenario.id}#{port.failure.kind}/step-{port.failure.step}",
            level="breaks-peer",
            where=_step(scenario, port.failure.step),
            oracle="went on",
            port=port.failure.kind,
            words=_failure(scenario, port.failure),
            why="The oracle went through this step; what comes after it never happens with this port.",
        )


def _lawless(scenario: Scenario, port: History) -> Iterator[Difference]:
    """Laws that the port breaks and the oracle keeps."""
    for broken in broken_laws(scenario, port):
        yield Difference(
            check=f"{scenario.id}#{broken.capture}/laws/{broken.law}",
            level="breaks-peer",
            where=broken.capture,
            oracle="keeps it",
            port="breaks it",
            words=f"law {broken.law}: {broken.words}",
            why=broken.why,
        )


def _unmet(scenario: Scenario, port: History) -> Iterator[Difference]:
    """What the scenario expects and the port misses. A port that broke off is told of the step, not of these."""
    missing = missed_facts(scenario, port) if port.failure is None else ()
    names, told = (Names(scenario, port), msgspec.json.encode(scenario).decode()) if missing else (str, "")
    for missed in missing:
        yield Difference(
            check=f"{scenario.id}#end/expect/{missed.number}",
            level="state",
            where=missed.about,
            oracle=walk(missed.expected, names, fold=False),
            port=_timeless(walk(missed.seen, names, fold=False), told),
            words=missed.words,
            why=scenario.why,
        )


def _timeless(seen: Any, told: str) -> Any:
    """What a missed fact has seen, the same at any time of day: times in ms are renamed, but for those that the
    scenario (its text is `told`) spells out. They are compared where they stand; here they would only tell runs apart.
    """

    def inner(value: Any) -> Any:
        if isinstance(value, str):
            return _MS.sub(lambda time: time[0] if time[0] in told else "<time>", value)
        if isinstance(value, list):
            return [inner(item) for item in value]
        if isinstance(value, dict):
            return {key: inner(item) for key, item in value.items()}
        return inner(str(value)) if isinstance(value, int) and _MS.fullmatch(str(value)) else value

    return inner(seen)


def _failure(scenario: Scenario, failure: Failure) -> str:
    side = f" ({failure.side})" if failure.side is not None else ""
    return f"{failure.kind} at {_step(scenario, failure.step)}{side}: {failure.text}"


def _step(scenario: Scenario, number: int) -> str:
    """A step in words, counted from 1; before the first, objects are opened; after the last, a capture is taken."""
    if number < 0:
        return "the opening of the objects"
    if number >= len(scenario.steps):
        return "the last capture"
    return f"step {number + 1} of {len(scenario.steps)}, `{scenario.steps[number].verb}`"


def _more(found: Sequence[object]) -> str:
    return f"; and {len(found) - 1} more" if len(found) > 1 else ""
