"""One scenario of the page: its marks in one line; opened, what differs, and each cell with what it left."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compat.model.cell import Arm, Cell
from compat.model.run import ScriptCall, TraceEntry
from compat.model.scenario import TopologyName
from compat.model.verdict import CellVerdict, Word
from compat.report.collected import Run
from compat.report.findings import Finding, findings, places
from compat.report.html.markup import Markup, el
from compat.report.html.values import sides
from compat.report.marks import MARKS, WORST
from compat.report.text import number, shortened

LIMIT = 6_000_000  # characters of all details of a page
FINDINGS = 40  # of a scenario
VARIANTS = 3  # places or pairs of values of a finding
STDERR = 40  # lines of a cell
_WORDS = 1_200  # characters of a sentence
_ARGUMENT = 300  # characters of a call's argument
_ARMS: tuple[Arm, ...] = ("self", "produce", "consume", "shadow")
_TOPOLOGIES: tuple[TopologyName, ...] = ("single", "cluster")
_TOO_MUCH = "The page is full; the record and `bullmq-compat run` show this scenario."


@dataclass
class Budget:
    """What the details of a page may still take."""

    left: int = LIMIT

    def take(self, parts: Iterator[Markup]) -> Markup:
        """The parts, as far as there is room for them; what does not fit is not even made."""
        taken: list[Markup] = []
        for part in parts:
            self.left -= len(part)
            if self.left < 0:
                taken.append(el("p", _TOO_MUCH, class_="legend"))
                break
            taken.append(part)
        return el("div", taken, class_="body")


def scenario_block(run: Run, name: str, verdicts: Sequence[CellVerdict], budget: Budget) -> Markup:
    """Closed at first. What it can be found by stands in its attributes."""
    words = Counter(verdict.word for verdict in verdicts)
    worst = next(word for word in WORST if word in words and (word != "not-applicable" or len(words) == 1))
    title = run.header.titles.get(name, "")
    found = findings(verdicts)
    keys = {f"{v.word} {v.cell.arm} {v.cell.topology}" for v in verdicts}
    search = " ".join((name, title, *(f"{f.check.partition('#')[2]} {f.subject} {f.first.words}" for f in found)))
    summary = el(
        "summary",
        el("span", MARKS[worst].sign, class_=f"mark-sign w-{worst}", title=worst),
        el("span", el("code", name), el("span", title, class_="title"), class_="name"),
        el("span", *_marks(verdicts), class_="marks"),
    )
    return el(
        "details", summary, budget.take(_body(run, found, verdicts)), class_="scenario", id=name,
        data_cells="|".join(sorted(keys)),
        data_area=name.partition("/")[0], data_text=shortened(search, 3_000).lower(),
    )  # fmt: skip


def _marks(verdicts: Sequence[CellVerdict]) -> Iterator[Markup]:
    """A group an arm: a mark for each topology."""
    words: dict[tuple[str, str], Counter[Word]] = defaultdict(Counter)
    for verdict in verdicts:
        words[verdict.cell.arm, verdict.cell.topology][verdict.word] += 1
    for arm in _ARMS:
        marks = []
        for topology in _TOPOLOGIES:
            if seen := words.get((arm, topology)):
                worst = next(word for word in WORST if word in seen)
                said = f"{arm} on {topology}: {worst}" + (f", {seen[worst]} of {seen.total()}" if len(seen) > 1 else "")
                marks.append(el("i", MARKS[worst].sign, class_=f"w-{worst}", title=said))
        if marks:
            yield el("span", el("small", arm), marks, class_="group")


def _body(run: Run, found: Sequence[Finding], verdicts: Sequence[CellVerdict]) -> Iterator[Markup]:
    for finding in found[:FINDINGS]:
        yield _finding(finding)
    if len(found) > FINDINGS:
        yield el(
            "p", f"and {number(len(found) - FINDINGS, 'more difference')}; the record holds them all", class_="legend"
        )
    yield _cells(verdicts)
    for verdict in verdicts:
        if verdict.stderr:
            lines = [shortened(line, _WORDS) for line in verdict.stderr[-STDERR:]]
            head = f"What the driver wrote to stderr in {verdict.cell.arm} on {verdict.cell.topology}"
            yield el("details", el("summary", head), el("pre", "\n".join(lines), class_="raw"), class_="inner")
    for cell in dict.fromkeys(verdict.cell for verdict in verdicts):
        if (trace := run.traces.get(cell)) is not None:
            yield _trace(cell, trace)


def _finding(finding: Finding) -> Markup:
    first = finding.first
    where = finding.check.partition("#")[2] or finding.check
    head = el("h3", el("span", finding.level, class_=f"level l-{finding.level}"), " ", el("code", where))
    parts: list[Markup] = [head, el("p", shortened(first.words, _WORDS), class_="words")]
    for variant in finding.variants[:VARIANTS]:
        shown = el("p", el("code", variant.difference.where), f" in {places(variant.cells)}", class_="where")
        parts += [shown, sides(variant.difference.oracle, variant.difference.port)]
    if (more := len(finding.variants) - VARIANTS) > 0:
        parts.append(el("p", f"and {more} more, at other places or with other values", class_="legend"))
    if first.why:
        parts.append(el("p", el("b", "Why it matters "), shortened(first.why, _WORDS), class_="why"))
    return el("article", parts, class_=f"finding f-{finding.level}")


def _cells(verdicts: Sequence[CellVerdict]) -> Markup:
    rows = [
        el(
            "tr",
            el("td", el("span", MARKS[v.word].sign, class_=f"mark-sign w-{v.word}"), f" {v.word}"),
            el("td", f"{v.cell.arm}, {v.cell.topology}"),
            el("td", number(v.checks, "check") if v.checks else "", class_="n"),
            el("td", f"{v.seconds:.2f} s" if v.seconds else "", class_="n"),
            el(
                "td",
                shortened(v.reason, _WORDS),
                el("small", f" {shortened(v.hint, _WORDS)}") if v.hint else None,
                el("small", f" struck: {shortened('; '.join(v.faults), _WORDS)}") if v.faults else None,
            ),
        )
        for v in verdicts
    ]
    return el("div", el("table", el("tbody", rows), class_="cells"), class_="scroll")


def _trace(cell: Cell, trace: TraceEntry) -> Markup:
    again = f", which came out as {trace.word}" if trace.word else ""
    counts = f"{len(trace.oracle)} in the oracle's cell, {len(trace.port)} in the port's"
    head = f"Script calls in {cell.arm} on {cell.topology}: {counts}"
    note = el("p", f"From a re-run under MONITOR{again}. Packed arguments are decoded.", class_="legend")
    cut = el("p", f"{number(trace.cut, 'call')} left out", class_="legend") if trace.cut else None
    columns = el("div", _calls("oracle", trace.oracle), _calls("port", trace.port), class_="sides")
    return el("details", el("summary", head), note, columns, cut, class_="inner trace")


def _calls(name: str, calls: Sequence[ScriptCall]) -> Markup:
    rows = [
        el(
            "li",
            el("code", call.script, class_="script"),
            el("small", f" {call.at_ms:,.1f} ms" + (f" · {call.side}" if call.side != name else "")),
            _words("KEYS", call.keys),
            _words("ARGV" if call.keys else "", call.args),
        )
        for call in calls
    ]
    title = "the oracle's cell" if name == "oracle" else "the port's cell"
    return el("div", el("b", title), el("ol", rows), class_=f"side {name}")


def _words(title: str, words: Sequence[str]) -> Markup | None:
    if not words:
        return None
    shown = [el("code", shortened(word, _ARGUMENT) or "\u2009") for word in words]
    return el("div", el("small", title) if title else None, shown, class_="words-list")
