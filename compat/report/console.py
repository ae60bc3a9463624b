"""The report for people: the table, each difference in words, what was not judged, and what it all comes to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from shlex import quote

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from compat.model.cell import Cell
from compat.model.verdict import LEVELS, CellVerdict, Difference, Seen, Word
from compat.report.collected import Run
from compat.report.findings import Finding, findings, gated, places, scenarios_of, subjects
from compat.report.marks import EXIT_WORDS, LEVEL_STYLES, LEVEL_WORDS, MARKS, mark
from compat.report.table import table
from compat.report.text import listed, number, pair, printable, shortened

SCENARIOS = 20  # told in full
PER_SCENARIO = 5  # findings told in full
VARIANTS = 2  # places and pairs of values told of one check
IN_SHORT = 12  # lines of the summary
STDERR = 8  # lines
MILD = 10  # findings told in one line each
_WORDS = 300  # characters of a sentence that a driver or Redis wrote
_COMMAND = "bullmq-compat run"
_INTERRUPTED = 130  # as shells have it


def print_report(
    console: Console, run: Run, *, command: str = _COMMAND, quiet: bool = False, code: int = _INTERRUPTED
) -> None:
    """Write the whole report; `quiet` leaves out the table and what did not fail.

    `command` is how the run was asked for (with `--impl`, without patterns): hints to look closer begin with it.
    `code` is the exit code of a run that was cut short.
    """
    utf8 = console.encoding.lower().startswith("utf")
    for part in report(run, command=command, quiet=quiet, utf8=utf8, code=code):
        console.print(part, highlight=False, soft_wrap=isinstance(part, Command))


class Command(Text):
    """Lines to copy: never wrapped, never cut."""


def report(
    run: Run, *, command: str = _COMMAND, quiet: bool = False, utf8: bool = True, code: int = _INTERRUPTED
) -> Iterator[RenderableType]:
    """The report's parts, top down: the last lines, which stay in sight, say the most."""
    if not quiet and run.verdicts:
        yield _header(run)
        yield Text()
        yield table(run, utf8=utf8)
    failed = [v for v in run.verdicts if v.word in ("fail", "stale", "flaky")]
    found = findings(failed)
    told = [finding for finding in found if gated(finding.level, run.header.gate)]
    if told:
        yield _title("Differences", utf8)
        yield from _in_short(told)
        judged = Counter(v.cell.scenario for v in run.verdicts if v.word != "not-applicable")
        yield from _differences(told, judged, command, utf8)
    yield from _reasons(run.verdicts, ("stale",), "Baseline", command, utf8)
    yield from _reasons(run.verdicts, ("flaky",), "Flaky", command, utf8)
    yield from _reasons(run.verdicts, ("invalid", "error"), "Not judged", command, utf8)
    if not quiet:
        known = findings(v for v in run.verdicts if v.word == "known")
        yield from _one_liners(f"Known ({number(len(known), 'difference')})", known, utf8)
        passed = findings(v for v in run.verdicts if v.word == "pass")
        mild = [finding for finding in (*found, *passed) if not gated(finding.level, run.header.gate)]
        yield from _one_liners(f"Milder than the gate ({run.header.gate})", mild, utf8)
        yield from _quirks(run.verdicts, utf8)
        yield from _not_applicable(run.verdicts, utf8)
    yield Text()
    yield from _footer(run, run.footer.exit_code if run.footer is not None else code)


# --- parts -----------------------------------------------------------------------------------------------------------


def _header(run: Run) -> Text:
    header = run.header
    port, oracle = header.port, header.oracle
    return Text.assemble(
        (printable(f"{port.name} {port.version}"), "bold"),
        printable(f" ({port.language}) against {oracle.name} {oracle.version} on "),
        printable("; ".join(f"{topology}: {title}" for topology, title in header.servers.items())),
    )


def _title(text: str, utf8: bool) -> RenderableType:
    rule = Rule(Text(text, style="bold"), align="left", style="dim", characters="─" if utf8 else "-")
    return Group(Text(), rule)


def _in_short(told: Sequence[Finding]) -> Iterator[RenderableType]:
    """What differs, over all scenarios, where that is shorter than the list."""
    about = subjects(told)
    if len(told) <= 2:
        return
    grid = Table.grid(padding=(0, 2))
    for subject in about[:IN_SHORT]:
        count = f"{number(subject.scenarios, 'scenario')}, {number(subject.cells, 'cell')}"
        grid.add_row(
            Text(subject.level, style=LEVEL_STYLES[subject.level]), Text(printable(subject.name), "bold"), Text(count)
        )
    yield _indented(grid)
    if len(about) > IN_SHORT:
        yield Text(f"  and {len(about) - IN_SHORT} more; `--json FILE` holds them all", style="dim")
    levels = [level for level in LEVEL_WORDS if any(subject.level == level for subject in about[:IN_SHORT])]
    yield Padding(
        Text("; ".join(f"{level}: {LEVEL_WORDS[level]}" for level in levels), style="dim"), (1, 0, 0, 2), expand=False
    )


def _differences(
    told: Sequence[Finding], judged: Mapping[str, int], command: str, utf8: bool
) -> Iterator[RenderableType]:
    """By scenario, the worst first; what was told of an earlier scenario is not told again."""
    by_scenario: dict[str, list[Finding]] = defaultdict(list)
    for finding in sorted(told, key=lambda finding: LEVELS.index(finding.level)):
        by_scenario[finding.scenario].append(finding)
    told_in: dict[tuple[str, ...], str] = {}
    for scenario, group in list(by_scenario.items())[:SCENARIOS]:
        yield Text()
        yield Text(printable(scenario), style="bold underline" if utf8 else "bold")
        fresh = False
        for finding in group[:PER_SCENARIO]:
            before = told_in.setdefault(_signature(finding), scenario)
            cells = _cells(finding, judged[scenario])
            if before == scenario:
                fresh = True
                yield _indented(_finding(finding, cells))
                yield Text()
            else:
                yield _indented(_again(finding, before, cells))
        if len(group) > PER_SCENARIO:
            more = number(len(group) - PER_SCENARIO, "more difference")
            yield Text(f"  and {more}; `--json FILE` holds them all", style="dim")
        if fresh:
            yield _closer(command, scenario, group[0].cells[0])
    if rest := list(by_scenario)[SCENARIOS:]:
        yield Text()
        yield Text(f"and {number(len(rest), 'more scenario')}: {printable(listed(rest))}", style="dim")


def _cells(finding: Finding, judged: int) -> str:
    seen = finding.cells
    return f"all {judged}" if 1 < judged == len(seen) else places(seen)


def _signature(finding: Finding) -> tuple[str, ...]:
    """Equal for findings of different scenarios that say the same."""
    first = finding.first
    return (finding.level, finding.subject, _sentence(first), *pair(first.oracle, first.port, 10_000))


def _again(finding: Finding, before: str, cells: str) -> RenderableType:
    return Text.assemble(
        (finding.level, LEVEL_STYLES[finding.level]), "  ", (_place(finding), "bold"),
        (f"  as in {printable(before)}; cells: {cells}", "dim"),
    )  # fmt: skip


def _place(finding: Finding) -> str:
    return printable(finding.check.partition("#")[2] or finding.check)


def _finding(finding: Finding, cells: str) -> RenderableType:
    parts: list[RenderableType] = [
        Text.assemble((finding.level, LEVEL_STYLES[finding.level]), "  ", (_place(finding), "bold"))
    ]
    if sentence := _sentence(finding.first):
        parts.append(_indented(_safe(sentence)))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for variant in finding.variants[:VARIANTS]:
        seen = variant.cells
        oracle, port = pair(variant.difference.oracle, variant.difference.port)
        grid.add_row("where", _safe(variant.difference.where))
        grid.add_row("cells", Text(cells if len(seen) == len(finding.cells) else places(seen)))
        grid.add_row("oracle", Text(oracle, style="green"))
        grid.add_row("port", Text(port, style="red"))
    if len(finding.variants) > VARIANTS:
        more = number(len(finding.variants) - VARIANTS, "time")
        grid.add_row("", Text(f"and {more} more, at other places or with other values", style="dim"))
    if finding.first.why:
        grid.add_row("why", _safe(finding.first.why))
    return Group(*parts, _indented(grid))


def _sentence(difference: Difference) -> str:
    """The difference's words, where they say more than place and values do."""
    said = difference.words.removeprefix(f"{difference.where}: ")
    return "" if said != difference.words and said.startswith("the oracle ") else said


def _closer(command: str, scenario: str, cell: Cell) -> Command:
    name = quote(printable(scenario))
    one = f"{command} {name} --arm {cell.arm} --topology {cell.topology}"
    return Command(f"  look closer: {one}\n               bullmq-compat show {name}", style="dim")


def _reasons(
    verdicts: Iterable[CellVerdict], words: tuple[Word, ...], title: str, command: str, utf8: bool
) -> Iterator[RenderableType]:
    """Cells with a reason instead of differences; those of one scenario with one reason are told once."""
    groups: dict[tuple[str, Word, str], list[CellVerdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.word in words and (verdict.reason or not verdict.differences):
            groups[verdict.cell.scenario, verdict.word, verdict.reason].append(verdict)
    if groups:
        yield _title(title, utf8)
    for (scenario, word, reason), group in sorted(groups.items(), key=lambda entry: entry[0]):
        cells = [verdict.cell for verdict in group]
        yield Text()
        head = Text.assemble(mark(word, utf8), " ", (printable(scenario), "bold"), f"  {word} in {places(cells)}")
        lines: list[RenderableType] = [_safe(reason or MARKS[word].meaning)]
        spoken = next((verdict for verdict in group if verdict.hint), None)
        if spoken is not None:
            lines.append(Text.assemble(("hint: ", "bold"), _safe(spoken.hint)))
        loud = next((verdict for verdict in group if verdict.stderr), None)
        if loud is not None:
            lines += _last_words(loud.stderr)
        yield Group(head, _indented(Group(*lines)))
        yield _closer(command, scenario, cells[0])


def _last_words(stderr: Sequence[str]) -> list[RenderableType]:
    cut = f" (last {STDERR} of {len(stderr)} lines)" if len(stderr) > STDERR else ""
    return [
        Text(f"the driver's stderr{cut}:", style="dim"),
        *(_indented(_safe(line, style="dim")) for line in stderr[-STDERR:]),
    ]


def _one_liners(title: str, found: Sequence[Finding], utf8: bool) -> Iterator[RenderableType]:
    if not found:
        return
    yield _title(title, utf8)
    for finding in found[:MILD]:
        line = Text.assemble((finding.level, LEVEL_STYLES[finding.level]), "  ", printable(finding.check), "  ")
        yield line.append(f"{printable(shortened(finding.first.words, _WORDS))} {places(finding.cells)}", style="dim")
    if len(found) > MILD:
        yield Text(f"and {len(found) - MILD} more; `--json FILE` holds them all", style="dim")


def _quirks(verdicts: Iterable[CellVerdict], utf8: bool) -> Iterator[RenderableType]:
    """What the port makes of errors of the oracle's version."""
    shown: dict[str, dict[Seen, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for verdict in verdicts:
        for name, what in verdict.quirks.items():
            shown[name][what].append(verdict.cell)
    if shown:
        yield _title("Quirks of Node 5.62.0", utf8)
    for name, sides in sorted(shown.items()):
        parts = ", ".join(f"{what} in {scenarios_of(cells)}" for what, cells in sorted(sides.items()))
        yield Text.assemble(printable(name), (f"  {parts}", "dim"))


def _not_applicable(verdicts: Iterable[CellVerdict], utf8: bool) -> Iterator[RenderableType]:
    reasons: dict[str, list[Cell]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.word == "not-applicable":
            reasons[verdict.reason].append(verdict.cell)
    if reasons:
        yield _title("Not applicable", utf8)
    for reason, cells in sorted(reasons.items(), key=lambda entry: -len(entry[1])):
        yield Text.assemble(printable(reason) or "no reason given", (f"  {scenarios_of(cells)}", "dim"))


def _footer(run: Run, code: int) -> Iterator[RenderableType]:
    footer = run.footer
    done = f"{number(len(run.scenarios), 'scenario')}, {number(len(run.verdicts), 'cell')}, "
    line = Text(done + number(run.checks, "check"), style="bold")
    counts = Text(", ").join(
        Text(f"{run.words[word]:,} {word}", style=MARKS[word].style) for word in MARKS if run.words[word]
    )
    line.append(": ").append_text(counts) if run.verdicts else line.append(": no cell was run", style="bold yellow")
    if footer is not None:
        rate = len(run.verdicts) / footer.seconds if footer.seconds else 0.0
        start = f"{footer.startup_seconds:.1f} s to start"
        line.append(f"; {footer.seconds:.1f} s, {start}, {rate:.1f} cells/s", style="dim")
    yield line
    struck = sum(len(verdict.faults) for verdict in run.verdicts)
    losses = Counter[str]()
    for verdict in run.verdicts:
        losses.update(verdict.losses)
    if struck or losses:
        lost = ", ".join(f"{kind} {times:,}" for kind, times in sorted(losses.items()))
        where = number(sum(bool(verdict.faults) for verdict in run.verdicts), "cell")
        words = f"{number(struck, 'fault')} struck in {where}; " if struck else ""
        yield Text(f"{words}expected losses, the same with Node: {lost or 'none'}", style="dim")
    if footer is not None and footer.slowest:
        slowest = ", ".join(f"{printable(cell)} {seconds:.1f} s" for cell, seconds in footer.slowest)
        yield Text(f"slowest: {slowest}; median {footer.median_cell_seconds:.2f} s", style="dim")
    for words in run.header.unheard:
        yield Text(printable(words), style="yellow")
    if run.verdicts and set(run.words) == {"not-applicable"}:
        yield Text("nothing was judged: no cell is applicable to this port", style="bold yellow")
    missing = run.header.cells - len(run.verdicts)
    if missing > 0:
        yield Text(f"{number(missing, 'cell')} of {run.header.cells:,} not run", style="bold yellow")
    style = {0: "bold green", 1: "bold red"}.get(code, "bold yellow")
    yield Text(f"exit code {code}, {EXIT_WORDS.get(code, 'not one of this program')}", style=style)


def _indented(part: RenderableType) -> RenderableType:
    return Padding(part, (0, 0, 0, 2), expand=False)


def _safe(text: str, style: str = "") -> Text:
    return Text(printable(shortened(text, _WORDS)), style=style)
