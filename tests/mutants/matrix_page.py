"""docs/kills.md: each seeded fault with the scenarios that kill it, each scenario with the number it kills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from faults import Fault, Talk, Wire
from faults.history import SEEDED
from kills import BEYOND, KILLS
from matrix_record import Store

from compat.model.scenario import Scenario

PAGE = Path("docs") / "kills.md"
_HEAD = """\
# What the gate sees

{faults} faults, each seeded into `bullmq_ref` one at a time, and what the scenarios make of them: {pairs:,} pairs were
played, and {kills:,} times the fault was seen. A fault lies in the text of one of BullMQ's scripts ({lua}), in the
library's own code ({library}), in what the port is asked, answers and tells ({talk}), or in the commands on their way
to Redis ({wire}). Each is killed, and each scenario kills at least one.

`python3 ci kills` plays a fault in every scenario where it can show (one whose recorded traffic it would change; the
port plays alone on a single server where the scenario lets it), goes on where it stopped, and writes this page. The
tests play each fault in the scenario that is named first, and insist on its check. {bugs} of the faults are bugs that
real ports had, {numbers} of the [list](divergences.md) in all: the number is told, and the issue in taskforcesh/bullmq
or the version.

## Faults

"""
_SCENARIOS = """
## Scenarios

How many of the faults each scenario kills.

"""
_CLASSES = 4  # of checks, told of a fault


def render(scenarios: Iterable[Scenario], faults: Mapping[str, Fault | Talk | Wire], store: Store) -> str:
    """The page."""
    scenarios = tuple(scenarios)
    ids = {scenario.id for scenario in scenarios}
    kinds = {"lua": 0, "library": 0, "talk": 0, "wire": 0} | Counter(map(_kind, faults.values()))
    played = [one for name in faults for scenario, one in store.of(name).items() if scenario in ids]
    told = {"faults": len(faults), "pairs": len(played), "kills": sum(one.kill is not None for one in played)}
    known = [SEEDED[name] for name in faults if name in SEEDED]
    bugs = {"bugs": len(known), "numbers": len({number for numbers in known for number in numbers})}
    lines = [_HEAD.format(**told, **kinds, **bugs)]
    counts: Counter[str] = Counter()
    for name, fault in faults.items():
        kills = {scenario: one.kill for scenario, one in sorted(store.of(name).items()) if one.kill and scenario in ids}
        counts.update(kills.keys())
        first, check = KILLS.get(name, ("", ""))
        seen = Counter(found for kill in kills.values() for found in dict.fromkeys(map(_class, kill.classes)))
        others = [scenario for scenario in kills if scenario != first]
        lines.append(
            f"### {name}\n\n{fault.story[0].upper()}{fault.story[1:]}.{_cause(fault)} "
            f"Seen by `{first}` as `{check}`{f', and by {len(others)} more' if others else ''}: "
            + ", ".join(f"{found} ({number})" for found, number in seen.most_common(_CLASSES))
            + ".\n"
            + (f"\n{_folded(others)}\n" if others else "")
            + "\n"
        )
    lines.append(_SCENARIOS)
    lines.append("| scenario | kills |\n|---|---|\n")
    lines += [f"| {scenario.id} | {counts[scenario.id]} |\n" for scenario in scenarios if counts[scenario.id]]
    lines.append("".join(f"\n`{name}` kills none: {reason}.\n" for name, reason in BEYOND.items()))
    return "".join(lines)


def _kind(fault: Fault | Talk | Wire) -> str:
    if isinstance(fault, Fault):
        return "lua" if fault.script else "library"
    return "talk" if isinstance(fault, Talk) else "wire"


def _cause(fault: Fault | Talk | Wire) -> str:
    place = f" In the script `{fault.script}`." if isinstance(fault, Fault) and fault.script else ""
    numbers = SEEDED.get(fault.name, ())
    listed = f"[divergence{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}](divergences.md)" if numbers else ""
    return place + (f" {', '.join(filter(None, (fault.bug, listed)))}." if fault.bug or numbers else "")


def _class(check: str) -> str:
    """`call.step 3 job.remove as x` → `call job.remove`: the same check, whatever the step."""
    words = check.split()
    if words[:1] == ["call.step"]:
        return f"call {words[2]}"
    return "late" if check.startswith("step-") else check


def _folded(scenarios: Iterable[str]) -> str:
    """`retry: at-once, fixed; worker: complete`."""
    folders: dict[str, list[str]] = {}
    for scenario in scenarios:
        folder, _, rest = scenario.partition("/")
        folders.setdefault(folder, []).append(rest)
    return "; ".join(f"{folder}: {', '.join(names)}" for folder, names in folders.items())
