"""One verdict a cell, one exit code a run."""

from __future__ import annotations

from collections.abc import Iterable

from compat.compare import broken_laws, differences, missed_facts
from compat.compare.laws import LAWS
from compat.model.history import Failure, History
from compat.model.scenario import Scenario
from compat.model.verdict import LEVELS, CellVerdict, Difference, Level
from compat.normalise import canonical
from compat.protocol.symbols import UNCLASSIFIED

GATE: Level = "encoding"


def oracle_trouble(scenario: Scenario, oracle: History) -> str | None:
    """Why the oracle's own cell cannot be compared with, or None when it can."""
    if oracle.failure is not None:
        return f"the oracle, step {oracle.failure.step}: {oracle.failure.text}"
    for number, words in missed_facts(scenario, oracle):
        return f"the oracle misses expect/{number}: {words}"
    for name, label, words in broken_laws(scenario, oracle):
        return f"the oracle breaks the law {name} at {label}: {words}"
    for outcome in oracle.outcomes:
        if outcome.problem is not None and outcome.problem.symbol == UNCLASSIFIED:
            return f"the oracle's error at step {outcome.step} has no symbol: {outcome.problem.text}"
    return None


def judge(scenario: Scenario, oracle: History, port: History, gate: Level = GATE) -> CellVerdict:
    """How `port`'s cell came out. Differences milder than `gate` are listed and do not fail it."""
    cell = port.cell
    if (trouble := oracle_trouble(scenario, oracle)) is not None:
        return CellVerdict(cell, "invalid", reason=trouble, seconds=port.seconds)
    failure = port.failure
    if failure is not None and failure.kind in ("protocol", "environment"):
        return CellVerdict(
            cell, "error", reason=failure.text, hint=failure.hint, seconds=port.seconds, stderr=failure.stderr
        )
    if failure is not None and failure.kind == "unsupported":
        return CellVerdict(cell, "not-applicable", reason=failure.text, seconds=port.seconds)
    found: list[Difference] = []
    checks = len(scenario.expect) + len(LAWS) * max(1, len(port.captures))
    if failure is not None:
        found.append(_stopped(scenario, failure))
    found += [
        Difference(f"{scenario.id}#{label}/laws/{name}", "breaks-peer", f"law {name}", None, words, words, LAW_WHY)
        for name, label, words in broken_laws(scenario, port)
    ]
    if cell.arm != "shadow":
        compared = differences(scenario.id, canonical(scenario, oracle), canonical(scenario, port))
        checks += compared.checks
        # A cell that stopped early lacks its last capture: that is told once, above.
        taken = {shot.label for shot in port.captures} | {"calls"}
        found += [d for d in compared.differences if failure is None or d.check.split("#")[1].split("/")[0] in taken]
    if failure is None:
        found += [
            Difference(
                f"{scenario.id}#end/expect/{number}", "state", f"expect {number}", None, words, words, scenario.why
            )
            for number, words in missed_facts(scenario, port)
        ]
    worst = any(LEVELS.index(difference.level) <= LEVELS.index(gate) for difference in found)
    return CellVerdict(cell, "fail" if worst else "pass", checks=checks, differences=tuple(found), seconds=port.seconds)


LAW_WHY = "No order of events makes this right: jobs get lost, doubled or stuck."


def _stopped(scenario: Scenario, failure: Failure) -> Difference:
    step = f"step {failure.step + 1} of {len(scenario.steps)}"
    what = scenario.steps[failure.step].verb if 0 <= failure.step < len(scenario.steps) else "before or after all steps"
    words = f"{step} ({what}): {failure.text}"
    return Difference(
        f"{scenario.id}#{failure.kind}/step-{failure.step}",
        "breaks-peer",
        step,
        "goes on",
        "stops",
        words,
        scenario.why,
    )


def exit_code(verdicts: Iterable[CellVerdict], gate: Level = GATE) -> int:
    """0 clean, 1 differences, 2 stale baseline, 3 error or invalid, or nothing judged at all."""
    words = {verdict.word for verdict in verdicts}
    if words & {"error", "invalid", "flaky"} or not words - {"not-applicable"}:
        return 3
    if "stale" in words:
        return 2
    return 1 if "fail" in words else 0
