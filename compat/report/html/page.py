"""The page: what it came to, the matrix, what differs, every scenario with its cells, and the limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from compat.model.cell import Arm, Cell
from compat.model.scenario import TopologyName
from compat.model.verdict import LEVELS, CellVerdict, Word
from compat.report.areas import Tally, area, areas
from compat.report.collected import Run
from compat.report.findings import Subject, findings, gated, subjects
from compat.report.html.document import document, own
from compat.report.html.markup import Markup, el, joined
from compat.report.html.scenario import Budget, scenario_block
from compat.report.marks import EXIT_WORDS, LEVEL_WORDS, MARKS, WORST
from compat.report.text import number

AT_FIRST = 14  # rows of what differs that are open
_ARMS: tuple[Arm, ...] = ("self", "produce", "consume", "shadow")
_TOPOLOGIES: tuple[TopologyName, ...] = ("single", "cluster")
_TONES = {0: "good", 1: "bad", 2: "odd"}


def page(run: Run) -> str:
    """The whole document. It loads nothing, and holds no text of a value that is not escaped."""
    title = f"{run.header.port.name} {run.header.port.version} against {run.header.oracle.name}"
    return document(
        title,
        el("header", *_headline(run), class_="wrap"),
        el("main", el("div", _matrix(run), _differences(run), class_="overview"), _scenarios(run), class_="wrap"),
        el("footer", *_foot(run), class_="wrap"),
        el("script", own("page.js")),
    )


# --- top -------------------------------------------------------------------------------------------------------------


def _headline(run: Run) -> Iterator[Markup]:
    header, footer = run.header, run.footer
    code = footer.exit_code if footer is not None else 130
    port, oracle = header.port, header.oracle
    yield el(
        "h1",
        el("span", f"{port.name} {port.version}", class_="port"),
        el("small", f" {port.language} · against {oracle.name} {oracle.version}{' (golden)' if header.golden else ''}"),
    )
    verdict, _, meaning = EXIT_WORDS.get(code, f"exit code {code}").partition(": ")
    yield el("p", el("b", verdict), f" {meaning}", class_=f"outcome {_TONES.get(code, 'odd')}")
    yield el("ul", *_tiles(run), class_="tiles")
    facts = [
        header.started.replace("T", " ").replace("+00:00", " UTC"),
        *(f"{topology}: {title}" for topology, title in header.servers.items()),
        f"gate {header.gate}",
        f"harness {header.harness}",
        *([f"shard {header.shard}"] if header.shard else []),
    ]
    yield el("p", " · ".join(facts), class_="facts")


def _tiles(run: Run) -> Iterator[Markup]:
    for word in MARKS:
        if count := run.words[word]:
            yield el("li", el("b", count), el("span", word), class_=f"tile w-{word}")
    yield el("li", el("b", len(run.scenarios)), el("span", "scenarios"), class_="tile")
    yield el("li", el("b", run.checks), el("span", "checks"), class_="tile")
    if run.footer is not None:
        yield el("li", el("b", f"{run.footer.seconds:,.1f} s"), el("span", "in all"), class_="tile")
    if (missing := run.header.cells - len(run.verdicts)) > 0:
        yield el("li", el("b", missing), el("span", "not run"), class_="tile w-error")


# --- matrix ----------------------------------------------------------------------------------------------------------


def _matrix(run: Run) -> Markup:
    """Areas × arms × topologies: how many of the cells that apply pass."""
    columns = [
        (arm, topology)
        for arm in _ARMS
        for topology in _TOPOLOGIES
        if any((v.cell.arm, v.cell.topology) == (arm, topology) for v in run.verdicts)
    ]
    cells: dict[tuple[str, str, str], list[CellVerdict]] = defaultdict(list)
    for verdict in run.verdicts:
        cells[area(verdict.cell.scenario), verdict.cell.arm, verdict.cell.topology].append(verdict)
    arms = [arm for arm in _ARMS if any(column[0] == arm for column in columns)]
    heads = [
        el("th", arm, colspan=sum(column[0] == arm for column in columns), scope="colgroup", class_="arm")
        for arm in arms
    ]
    rows = [
        el(
            "tr",
            el("th", el("button", name, type="button", data_area=name), scope="row"),
            [_heat(name, arm, topology, Tally.of(cells[name, arm, topology])) for arm, topology in columns],
        )
        for name in areas([run])
    ]
    subheads = [el("th", topology, scope="col") for _, topology in columns]
    table = el(
        "table",
        el("thead", el("tr", el("th", "area", rowspan=2, scope="col"), heads), el("tr", subheads)),
        el("tbody", rows),
        class_="matrix",
    )
    return el("section", el("h2", "Matrix"), el("div", table, class_="scroll"), id="matrix")


def _heat(name: str, arm: Arm, topology: TopologyName, tally: Tally) -> Markup:
    worst = tally.worst
    if worst is None:
        return el("td", class_="none")
    said = f"{name}, {arm} on {topology}: " + ", ".join(f"{count} {word}" for word, count in tally.words.items())
    shown = MARKS["not-applicable"].sign if not tally.applicable else f"{tally.good}"
    more = f"/{tally.applicable}" if tally.good != tally.applicable else None
    button = el(
        "button", shown, el("small", more) if more else None, type="button", title=said, aria_label=said,
        data_area=name, data_arm=arm, data_topology=topology,
    )  # fmt: skip
    return el("td", button, class_=f"w-{worst}")


# --- what differs ----------------------------------------------------------------------------------------------------


def _differences(run: Run) -> Markup | None:
    told = [
        finding
        for finding in findings(v for v in run.verdicts if v.word in ("fail", "stale", "flaky", "known"))
        if gated(finding.level, run.header.gate)
    ]
    about = subjects(told)
    if not about:
        return None
    levels = [level for level in LEVELS if any(subject.level == level for subject in about)]
    legend = el("p", "; ".join(f"{level}: {LEVEL_WORDS[level]}" for level in levels), class_="legend")
    rest = about[AT_FIRST:]
    more = el("details", el("summary", f"and {len(rest)} more", class_="more"), _subjects(rest)) if rest else None
    return el("section", el("h2", "What differs"), _subjects(about[:AT_FIRST]), more, legend, id="differences")


def _subjects(about: Sequence[Subject]) -> Markup:
    rows = [
        el(
            "tr",
            el("td", el("span", subject.level, class_=f"level l-{subject.level}")),
            el("td", el("button", subject.name, type="button", data_search=subject.name)),
            el("td", subject.scenarios, class_="n"),
            el("td", subject.cells, class_="n"),
        )
        for subject in about
    ]
    head = el("tr", el("th", "level"), el("th", "what differs"), el("th", "scenarios"), el("th", "cells"))
    return el("div", el("table", el("thead", head), el("tbody", rows), class_="subjects"), class_="scroll")


# --- scenarios -------------------------------------------------------------------------------------------------------


def _scenarios(run: Run) -> Markup:
    groups: dict[str, list[CellVerdict]] = defaultdict(list)
    for verdict in run.verdicts:
        groups[verdict.cell.scenario].append(verdict)
    budget = Budget()
    blocks = [scenario_block(run, name, groups[name], budget) for name in sorted(groups, key=_gravest_first(groups))]
    return el(
        "section",
        el("h2", "Scenarios"),
        _filters(run),
        el("div", blocks, id="list"),
        el("p", "No scenario matches.", id="nothing", hidden=True),
        id="scenarios",
    )


def _gravest_first(groups: dict[str, list[CellVerdict]]) -> Callable[[str], tuple[int, str]]:
    def key(name: str) -> tuple[int, str]:
        words = {verdict.word for verdict in groups[name]}
        return min(WORST.index(word) for word in words if word != "not-applicable" or len(words) == 1), name

    return key


def _filters(run: Run) -> Markup:
    search = el(
        "input", type="search", id="search", placeholder="Search scenarios, checks, words", aria_label="Search",
        autocomplete="off",
    )  # fmt: skip
    words = [
        el(
            "button",
            f"{MARKS[word].sign} {word}",
            type="button",
            data_word=word,
            aria_pressed="false",
            class_=f"chip w-{word}",
        )
        for word in MARKS
        if run.words[word]
    ]
    arms = _chips("arm", [arm for arm in _ARMS if any(v.cell.arm == arm for v in run.verdicts)])
    places = _chips("topology", [t for t in _TOPOLOGIES if any(v.cell.topology == t for v in run.verdicts)])
    end = (
        el("button", "clear", type="button", id="clear", class_="plain"),
        el("button", "open all", type="button", id="open", class_="plain"),
        el("output", "", id="count"),
    )
    groups = [el("div", group, class_="chips") for group in (words, arms, places, end)]
    return el("div", search, groups, id="filters", role="search")


def _chips(name: str, values: Sequence[str]) -> list[Markup]:
    if len(values) < 2:
        return []
    return [_chip(value, **{f"data_{name}": value}) for value in values]


def _chip(text: str, class_: str = "", **data: str) -> Markup:
    return el("button", text, type="button", aria_pressed="false", class_=f"chip {class_}".strip(), **data)


# --- foot ------------------------------------------------------------------------------------------------------------


def _foot(run: Run) -> Iterator[Markup]:
    footer = run.footer
    if footer is not None and footer.slowest:
        rows = [el("li", el("code", cell), f" {seconds:.2f} s") for cell, seconds in footer.slowest]
        at_once = number(run.header.jobs, "cell")
        words = (
            f"{footer.seconds:,.1f} s in all, {footer.startup_seconds:.1f} s of them to start; {at_once} at once; half "
            f"of the cells took no longer than {footer.median_cell_seconds:.2f} s. The slowest:"
        )
        yield el("details", el("summary", "Time"), el("p", words), el("ol", rows))
    reasons: dict[str, list[Cell]] = defaultdict(list)
    for verdict in run.verdicts:
        if verdict.word == "not-applicable":
            reasons[verdict.reason].append(verdict.cell)
    if reasons:
        by_size = sorted(reasons.items(), key=lambda entry: -len(entry[1]))
        rows = [
            el("li", reason or "no reason given", el("small", f" {number(len(cells), 'cell')}"))
            for reason, cells in by_size
        ]
        yield el("details", el("summary", "Not applicable, and so not judged"), el("ul", rows))
    legend: list[tuple[Word, str]] = [(word, mark.meaning) for word, mark in MARKS.items() if run.words[word]]
    marks = [
        el("li", el("span", MARKS[word].sign, class_=f"mark-sign w-{word}"), f" {meaning}") for word, meaning in legend
    ]
    yield el("details", el("summary", "Marks"), el("ul", marks, class_="plainlist"))
    if limits := (*run.header.unheard, *run.header.limits):
        yield el(
            "details",
            el("summary", "What a green run does not claim"),
            el("ul", [el("li", limit) for limit in limits]),
            id="limits",
            open=True,
        )
    yield el("p", joined("bullmq-compat ", run.header.harness), class_="legend")
