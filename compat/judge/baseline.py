"""A baseline: the differences of a port that are known, each with its cause and the exact cells that show it.

It is strict: a cell is `known` only when it differs as the baseline says and in nothing else. What passes by now, what
differs in another way, and what is not listed all fail the run.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from msgspec import Struct, field, structs

from compat.compare.levels import at_least
from compat.compare.spelled import spelled
from compat.model.cell import Cell
from compat.model.scenario import ArmName, TopologyName
from compat.model.verdict import CellVerdict, Difference, Level
from compat.protocol.values import encode

#: Of the file; a baseline with another is refused.
SCHEMA: Final = 1
#: Instead of a signature, where chance decides: the check differs every time, with other values; it differs at times.
VARIES: Final = "varies"
AT_TIMES: Final = "at times"
#: Instead of a check: any of the cell, at times. For cells that come out in many ways, as a race decides.
ANY: Final = "*"


class Seen(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a known difference is seen: in a scenario, in these arms, on these topologies. `checks` are scope and what
    differs (`end/job.failedReason`), each with the signature of the values that differ, or `varies`, or `at times`."""

    scenario: str = field(name="in")
    arms: tuple[ArmName, ...]
    checks: dict[str, str]
    on: tuple[TopologyName, ...] = ("single", "cluster")

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(Cell(self.scenario, arm, topology) for arm in self.arms for topology in self.on)


class Entry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One cause, and all that it brings about. `issue` is the port's.

    `checks` are globs over whole checks (`*/job.failedReason`, `flow/*#*`): an update puts what is new to the first
    entry that has one for it. They wave nothing through: only what is `seen` is known. `chance` says why some of that
    comes out differently from run to run.
    """

    reason: str
    checks: tuple[str, ...]
    seen: tuple[Seen, ...]
    cause: str = ""  # its name, in a word
    issue: str = ""
    chance: str = ""

    @property
    def title(self) -> str:
        return self.cause or ", ".join(self.checks)

    def takes(self, check: str) -> bool:
        """Whether an update puts this check here."""
        return any(fnmatchcase(check, pattern) for pattern in self.checks)


class Baseline(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    schema: int = SCHEMA
    port: str = ""  # the implementation's name; empty: any
    known: tuple[Entry, ...] = field(default_factory=tuple)

    def by_cell(self) -> dict[Cell, dict[str, tuple[Entry, str]]]:
        """Cell → check → the entry that lists it there, and with which signature."""
        found: dict[Cell, dict[str, tuple[Entry, str]]] = defaultdict(dict)
        for entry in self.known:
            for row in entry.seen:
                for cell in row.cells:
                    for check, mark in row.checks.items():
                        found[cell][f"{row.scenario}#{check}"] = (entry, mark)
        return found


class Complaint(Struct, frozen=True):
    """Something wrong with a baseline, whatever a run will show. `entry` and `row` are positions; None: all of it."""

    entry: int
    row: int | None
    message: str


def complaints(baseline: Baseline, exists: Callable[[Cell], bool]) -> Iterator[Complaint]:
    """No cause, no place, a cell that no scenario has, one difference listed twice, chance without a reason."""
    listed: dict[tuple[Cell, str], tuple[int, int]] = {}
    for number, entry in enumerate(baseline.known):
        if not entry.reason.strip():
            yield Complaint(number, None, f"`{entry.title}` has no `reason`; say what causes it")
        if not entry.seen:
            yield Complaint(number, None, f"`{entry.title}` is seen nowhere; remove the entry")
        checks = {f"{row.scenario}#{check}" for row in entry.seen for check in row.checks}
        chance = {VARIES, AT_TIMES} & {mark for row in entry.seen for mark in row.checks.values()}
        for pattern in entry.checks:
            if entry.seen and not any(fnmatchcase(check, pattern) for check in checks):
                yield Complaint(number, None, f"nothing that is seen here matches `{pattern}`; remove it")
        if not entry.chance.strip() and chance:
            yield Complaint(number, None, f"`{entry.title}` comes out differently from run to run; say why (`chance`)")
        if entry.chance and entry.seen and not chance:
            yield Complaint(number, None, f"nothing in `{entry.title}` is left to `chance`; remove it")
        for row, seen in enumerate(entry.seen):
            if not (seen.checks and seen.arms and seen.on):
                yield Complaint(number, row, f"`{seen.scenario}` needs `checks`, `arms` and `on`")
            for check in seen.checks:
                if check == ANY and seen.checks[check] != AT_TIMES:
                    yield Complaint(number, row, f"`{ANY}` stands for checks that differ at times; say `{AT_TIMES}`")
                elif check != ANY and "/" not in check:
                    yield Complaint(number, row, f"`{check}` has no scope; write SCOPE/WHAT, as `end/job.data`")
            for cell in seen.cells:
                if not exists(cell):
                    yield Complaint(number, row, f"there is no cell {cell.id}; remove it, or mend its name")
                for check in seen.checks:
                    if listed.setdefault((cell, check), (number, row)) != (number, row):
                        yield Complaint(number, row, f"{seen.scenario}#{check} is listed twice for {cell.id}; keep one")


def signature(differences: Iterable[Difference]) -> str:
    """Of the differences of one check in one cell: equal as long as level and values are, wherever they stand. Maps are
    equal in any order, as they are compared."""
    rows = sorted(
        json.dumps([one.level, _spelled(one.oracle), _spelled(one.port)], sort_keys=True) for one in differences
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:12]


def _spelled(value: Any) -> Any:
    return spelled(encode(value))  # tagged, as in the record that `updated` may have it from


def apply(listed: Mapping[str, tuple[Entry, str]], verdict: CellVerdict, gate: Level) -> CellVerdict:
    """The verdict in the light of what is listed for its cell. `error`, `invalid` and `flaky` stay what they are."""
    if not listed or verdict.word in ("error", "invalid", "flaky"):
        return verdict
    if verdict.word == "not-applicable":
        reason = f"known.yaml lists {_names(listed)}, but the cell is not applicable: {verdict.reason}"
        return structs.replace(verdict, word="stale", reason=reason, hint=_HINT)
    seen = seen_checks(verdict, gate)
    passed = [check for check, (_, mark) in listed.items() if check not in seen and mark != AT_TIMES]
    changed = [check for check, (_, mark) in listed.items() if seen.get(check, mark) != mark and mark not in _CHANCE]
    chance = f"{verdict.cell.scenario}#{ANY}" in listed
    new = [check for check in seen if check not in listed and not chance]
    told = [
        *([f"known.yaml lists {_names(passed)}, where there is no difference"] if passed else []),
        *([f"{_names(changed)} differs otherwise than known.yaml says (now {seen[changed[0]]})"] if changed else []),
        *([f"{_names(new)} is not in known.yaml"] if new else []),
    ]
    if told:
        word = "fail" if new else "stale"
        return structs.replace(verdict, word=word, reason="; ".join(told), hint=_HINT)
    if not seen:
        return verdict
    entries = (entry for check, (entry, _) in listed.items() if check in seen or check.endswith(f"#{ANY}"))
    causes = dict.fromkeys(entry.reason + (f" ({entry.issue})" if entry.issue else "") for entry in entries)
    return structs.replace(verdict, word="known", reason="; ".join(causes))


_CHANCE = (VARIES, AT_TIMES)
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

    What was listed stays in its entry, so that causes are kept; what is new goes to the first entry that takes it, or
    to one without a reason, for a person to fill in. Cells that these verdicts do not judge keep what is listed. Where
    a cell was judged several times, what is not always the same is listed as `varies` or `at times`, and stays so.
    """
    runs: dict[Cell, list[dict[str, str]]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.word not in ("error", "invalid", "flaky"):
            runs[verdict.cell].append(seen_checks(verdict, gate))
    entries = list(baseline.known)
    found: dict[int, dict[Cell, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    homes: dict[tuple[Cell, str], int] = {}
    listed: dict[tuple[Cell, str], str] = {}
    for number, entry in enumerate(entries):
        for row in entry.seen:
            for cell in row.cells:
                for check, mark in row.checks.items():
                    whole = f"{row.scenario}#{check}"
                    homes[cell, whole], listed[cell, whole] = number, mark
                    if cell not in runs or mark == AT_TIMES:
                        found[number][cell][check] = mark
    for cell, times in runs.items():
        for whole in dict.fromkeys(check for seen in times for check in seen):
            if (cell, f"{cell.scenario}#{ANY}") in homes and (cell, whole) not in homes:
                continue
            number = homes[cell, whole] if (cell, whole) in homes else _home(entries, whole)
            before = listed.get((cell, whole), "")
            found[number][cell][whole.partition("#")[2]] = _mark(before, [seen.get(whole) for seen in times])
    known = (structs.replace(entry, seen=_rows(found[number])) for number, entry in enumerate(entries))
    return Baseline(SCHEMA, baseline.port or port, tuple(entry for entry in known if entry.seen))


def _mark(before: str, times: list[str | None]) -> str:
    if before == AT_TIMES or None in times:
        return AT_TIMES
    return VARIES if before == VARIES or len(set(times)) > 1 else str(times[0])


def pruned(baseline: Baseline, exists: Callable[[Cell], bool]) -> Baseline:
    """The baseline without cells that no scenario has."""
    known = []
    for entry in baseline.known:
        cells: dict[Cell, dict[str, str]] = defaultdict(dict)
        for row in entry.seen:
            for cell in row.cells:
                if exists(cell):
                    cells[cell].update(row.checks)
        known.append(structs.replace(entry, seen=_rows(cells)))
    return structs.replace(baseline, known=tuple(known))


def _home(entries: list[Entry], check: str) -> int:
    for number, entry in enumerate(entries):
        if entry.takes(check):
            return number
    entries.append(Entry("", (f"*/{check.partition('#')[2].partition('/')[2]}",), ()))
    return len(entries) - 1


def _rows(found: Mapping[Cell, Mapping[str, str]]) -> tuple[Seen, ...]:
    """Cells that show the same gathered into arms × topologies; those that are no such product stand apart."""
    same: dict[tuple[str, tuple[tuple[str, str], ...]], set[Cell]] = defaultdict(set)
    for cell, checks in found.items():
        same[cell.scenario, tuple(sorted(checks.items()))].add(cell)
    made: list[Seen] = []
    for (scenario, shown), cells in sorted(same.items()):
        by_topologies: dict[tuple[TopologyName, ...], list[ArmName]] = defaultdict(list)
        for arm in _ARMS:
            on = tuple(t for t in _TOPOLOGIES if any(cell.arm == arm and cell.topology == t for cell in cells))
            if on:
                by_topologies[on].append(arm)
        made += [Seen(scenario, tuple(arms), dict(shown), on) for on, arms in by_topologies.items()]
    return tuple(made)


_ARMS: tuple[ArmName, ...] = ("self", "produce", "consume", "shadow")
_TOPOLOGIES: tuple[TopologyName, ...] = ("single", "cluster")


def write(baseline: Baseline) -> str:
    """The baseline as YAML, text in JSON's quotes."""
    lines = [
        "# Differences that are known, each with its cause; see `bullmq-compat baseline --help`.",
        f"schema: {SCHEMA}",
        f"port: {_text(baseline.port)}",
        "known:" + ("" if baseline.known else " []"),
    ]
    for entry in baseline.known:
        said = {name: getattr(entry, name) for name in ("cause", "reason", "issue", "chance")}
        words = [f"{name}: {_text(text)}" for name, text in said.items() if text or name == "reason"]
        words += [f"checks: [{', '.join(map(_text, entry.checks))}]", "seen:"]
        lines += [("  - " if number == 0 else "    ") + line for number, line in enumerate(words)]
        for row in entry.seen:
            on = "" if row.on == _TOPOLOGIES else f", on: [{', '.join(row.on)}]"
            checks = ", ".join(f"{_text(check)}: {_text(mark)}" for check, mark in row.checks.items())
            arms = ", ".join(row.arms)
            lines.append(f"      - {{in: {_text(row.scenario)}, arms: [{arms}]{on}, checks: {{{checks}}}}}")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    return json.dumps(text)
