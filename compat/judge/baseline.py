"""A baseline: the differences of a port that are known, each with its cause and the exact cells that show it.

It is strict: a cell is `known` only when it differs as the baseline says and in nothing else. What passes by now, what
differs in another way, and what is not listed all fail the run.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field, structs

from compat.compare.levels import at_least
from compat.compare.spelled import spelled
from compat.model.cell import Cell
from compat.model.scenario import ArmName, TopologyName
from compat.model.verdict import CellVerdict, Difference, Level
from compat.protocol.values import encode


class Seen(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a known difference is seen: a scenario and a scope of it (`retry/fixed#end`), in these arms, on these
    topologies; `signature` is of the values that differ."""

    at: str
    arms: tuple[ArmName, ...]
    signature: str
    on: tuple[TopologyName, ...] = ("single", "cluster")

    @property
    def scenario(self) -> str:
        return self.at.partition("#")[0]

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(Cell(self.scenario, arm, topology) for arm in self.arms for topology in self.on)


class Entry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One cause. `check` is what differs, without scenario and scope (`job.failedReason`); `issue` is the port's."""

    check: str
    reason: str
    seen: tuple[Seen, ...]
    issue: str = ""


class Baseline(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    schema: int = 1
    port: str = ""  # the implementation's name; empty: any
    known: tuple[Entry, ...] = field(default_factory=tuple)

    def by_cell(self) -> dict[Cell, dict[str, tuple[Entry, Seen]]]:
        """Cell → check → the entry and the row of it that list it there."""
        found: dict[Cell, dict[str, tuple[Entry, Seen]]] = defaultdict(dict)
        for entry in self.known:
            for row in entry.seen:
                for cell in row.cells:
                    found[cell][f"{row.at}/{entry.check}"] = (entry, row)
        return found


class Complaint(Struct, frozen=True):
    """Something wrong with a baseline, whatever a run will show. `entry` and `row` are positions; None: all of it."""

    entry: int
    row: int | None
    message: str


def complaints(baseline: Baseline, exists: Callable[[Cell], bool]) -> Iterator[Complaint]:
    """No cause, no place, a cell that no scenario has, one difference listed twice."""
    listed: dict[tuple[Cell, str], int] = {}
    for number, entry in enumerate(baseline.known):
        if not entry.reason.strip():
            yield Complaint(number, None, f"`{entry.check}` has no `reason`; say what causes it")
        if not entry.seen:
            yield Complaint(number, None, f"`{entry.check}` is seen nowhere; remove the entry")
        for row, seen in enumerate(entry.seen):
            if "#" not in seen.at or not seen.arms or not seen.on:
                yield Complaint(number, row, f"`{seen.at}` needs a scope (SCENARIO#SCOPE), `arms` and `on`")
                continue
            for cell in seen.cells:
                if not exists(cell):
                    yield Complaint(number, row, f"there is no cell {cell.id}; remove it, or mend its name")
                first = listed.setdefault((cell, f"{seen.at}/{entry.check}"), number)
                if first != number or sum(cell in other.cells and other.at == seen.at for other in entry.seen) > 1:
                    yield Complaint(number, row, f"{seen.at}/{entry.check} is listed twice for {cell.id}; keep one")


def signature(differences: Iterable[Difference]) -> str:
    """Of the differences of one check in one cell: equal as long as level and values are, wherever they stand."""
    rows = sorted(json.dumps([one.level, _spelled(one.oracle), _spelled(one.port)]) for one in differences)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:12]


def _spelled(value: Any) -> Any:
    return spelled(encode(value))  # tagged, as in the record that `updated` may have it from


def apply(listed: Mapping[str, tuple[Entry, Seen]], verdict: CellVerdict, gate: Level) -> CellVerdict:
    """The verdict in the light of what is listed for its cell. `error`, `invalid` and `flaky` stay what they are."""
    if not listed or verdict.word in ("error", "invalid", "flaky"):
        return verdict
    if verdict.word == "not-applicable":
        reason = f"known.yaml lists {_names(listed)}, but the cell is not applicable: {verdict.reason}"
        return structs.replace(verdict, word="stale", reason=reason, hint=_HINT)
    seen = seen_checks(verdict, gate)
    passed = [check for check in listed if check not in seen]
    changed = [check for check, (_, row) in listed.items() if check in seen and seen[check] != row.signature]
    new = [check for check in seen if check not in listed]
    told = [
        *([f"known.yaml lists {_names(passed)}, where there is no difference"] if passed else []),
        *([f"{_names(changed)} differs otherwise than known.yaml says (now {seen[changed[0]]})"] if changed else []),
        *([f"{_names(new)} is not in known.yaml"] if new else []),
    ]
    if told:
        word = "fail" if new else "stale"
        return structs.replace(verdict, word=word, reason="; ".join(told), hint=_HINT)
    causes = dict.fromkeys(entry.reason + (f" ({entry.issue})" if entry.issue else "") for entry, _ in listed.values())
    return structs.replace(verdict, word="known", reason="; ".join(causes))


_HINT = "look at the differences; where they are as they should be, `bullmq-compat baseline update` writes them down"


def seen_checks(verdict: CellVerdict, gate: Level) -> dict[str, str]:
    """Check → signature, of the differences that fail a run with this gate."""
    groups: dict[str, list[Difference]] = defaultdict(list)
    for difference in verdict.differences:
        if at_least(difference.level, gate):
            groups[difference.check].append(difference)
    return {check: signature(group) for check, group in groups.items()}


def _names(checks: Iterable[str]) -> str:
    names = [check.partition("#")[2] for check in checks]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def updated(baseline: Baseline, verdicts: Iterable[CellVerdict], gate: Level, port: str) -> Baseline:
    """The baseline that tells the truth about these verdicts.

    What was listed stays in its entry, so that causes are kept; what is new goes to the first entry of its check, or to
    one without a reason, for a person to fill in. Cells that these verdicts do not judge keep what is listed.
    """
    verdicts = tuple(verdicts)
    judged = {verdict.cell for verdict in verdicts if verdict.word not in ("error", "invalid", "flaky")}
    rows: dict[int, dict[tuple[str, str], set[Cell]]] = defaultdict(lambda: defaultdict(set))
    entries = list(baseline.known)
    for number, entry in enumerate(entries):
        for row in entry.seen:
            for cell in row.cells:
                if cell not in judged:
                    rows[number][row.at, row.signature].add(cell)
    homes = {(cell, check): entry for cell, found in baseline.by_cell().items() for check, (entry, _) in found.items()}
    for verdict in verdicts:
        if verdict.cell not in judged:
            continue
        for check, mark in seen_checks(verdict, gate).items():
            scenario, _, rest = check.partition("#")
            scope, _, what = rest.partition("/")
            at = f"{scenario}#{scope}"
            home = homes.get((verdict.cell, check))
            number = entries.index(home) if home is not None else _home(entries, what)
            rows[number][at, mark].add(verdict.cell)
    known = (structs.replace(entry, seen=_rows(rows[number])) for number, entry in enumerate(entries))
    return Baseline(1, baseline.port or port, tuple(entry for entry in known if entry.seen))


def pruned(baseline: Baseline, exists: Callable[[Cell], bool]) -> Baseline:
    """The baseline without cells that no scenario has."""
    known = []
    for entry in baseline.known:
        cells: dict[tuple[str, str], set[Cell]] = defaultdict(set)
        for row in entry.seen:
            cells[row.at, row.signature].update(cell for cell in row.cells if exists(cell))
        known.append(structs.replace(entry, seen=_rows({key: found for key, found in cells.items() if found})))
    return structs.replace(baseline, known=tuple(known))


def _home(entries: list[Entry], what: str) -> int:
    for number, entry in enumerate(entries):
        if entry.check == what:
            return number
    entries.append(Entry(what, "", ()))
    return len(entries) - 1


def _rows(found: dict[tuple[str, str], set[Cell]]) -> tuple[Seen, ...]:
    """Cells gathered into arms × topologies; those that are no such product stand in rows of their own."""
    made: list[Seen] = []
    for (at, mark), cells in sorted(found.items()):
        by_topologies: dict[tuple[TopologyName, ...], list[ArmName]] = defaultdict(list)
        for arm in _ARMS:
            on = tuple(t for t in _TOPOLOGIES if any(cell.arm == arm and cell.topology == t for cell in cells))
            if on:
                by_topologies[on].append(arm)
        made += [Seen(at, tuple(arms), mark, on) for on, arms in by_topologies.items()]
    return tuple(made)


_ARMS: tuple[ArmName, ...] = ("self", "produce", "consume", "shadow")
_TOPOLOGIES: tuple[TopologyName, ...] = ("single", "cluster")


def write(baseline: Baseline) -> str:
    """The baseline as YAML, text in JSON's quotes."""
    lines = [
        "# Differences that are known, each with its cause; see `bullmq-compat baseline --help`.",
        "schema: 1",
        f"port: {_text(baseline.port)}",
        "known:" + ("" if baseline.known else " []"),
    ]
    for entry in baseline.known:
        lines += [f"  - check: {_text(entry.check)}", f"    reason: {_text(entry.reason)}"]
        if entry.issue:
            lines.append(f"    issue: {_text(entry.issue)}")
        lines.append("    seen:")
        for row in entry.seen:
            on = "" if row.on == _TOPOLOGIES else f", on: [{', '.join(row.on)}]"
            arms = ", ".join(row.arms)
            lines.append(f"      - {{at: {_text(row.at)}, arms: [{arms}]{on}, signature: {_text(row.signature)}}}")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    return json.dumps(text)
