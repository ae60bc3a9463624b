"""The page of several ports: who passes what, what differs in which, and the scenarios on which they part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compat.model.verdict import LEVELS
from compat.report.areas import Tally, area, areas
from compat.report.collected import Run
from compat.report.html.document import document
from compat.report.html.markup import Markup, el
from compat.report.marks import LEVEL_WORDS, MARKS
from compat.report.side_by_side import differing, parting
from compat.report.text import number

SCENARIOS = 400  # rows
SUBJECTS = 60  # rows


def ports_page(runs: Sequence[Run]) -> str:
    """The whole document, a function of the runs' records, of one port each."""
    oracles = list(dict.fromkeys(f"{run.header.oracle.name} {run.header.oracle.version}" for run in runs))
    title = f"{number(len(runs), 'port')} against {' and '.join(oracles)}"
    header = el("header", el("h1", title), _facts(runs), class_="wrap")
    main = el("main", _matrix(runs), _differences(runs), _scenarios(runs), class_="wrap")
    return document(title, header, main, el("footer", *_foot(runs), class_="wrap"))


def _facts(runs: Sequence[Run]) -> Markup:
    rows = [
        el(
            "tr",
            el("td", el("b", f"{run.header.port.name} {run.header.port.version}"), f" {run.header.port.language}"),
            el("td", f"against {run.header.oracle.name} {run.header.oracle.version}"),
            el("td", ", ".join(f"{run.words[word]:,} {word}" for word in MARKS if run.words[word])),
            el("td", run.header.started.replace("T", " ").replace("+00:00", " UTC")),
        )
        for run in runs
    ]
    return el("div", el("table", el("tbody", rows), class_="cells"), class_="scroll")


def _heads(runs: Sequence[Run]) -> list[Markup]:
    return [el("th", run.header.port.name, el("br"), run.header.port.version, scope="col") for run in runs]


def _matrix(runs: Sequence[Run]) -> Markup:
    rows = []
    for name in areas(runs):
        tallies = [Tally.of(v for v in run.verdicts if area(v.cell.scenario) == name) for run in runs]
        rows.append(el("tr", el("th", name, scope="row"), map(_heat, tallies)))
    rows.append(el("tr", el("th", el("b", "all"), scope="row"), [_heat(Tally.of(run.verdicts)) for run in runs]))
    head = el("thead", el("tr", el("th", "area", scope="col"), _heads(runs)))
    table = el("table", head, el("tbody", rows), class_="matrix")
    return el("section", el("h2", "Matrix"), el("div", table, class_="scroll"), id="matrix")


def _heat(tally: Tally) -> Markup:
    """A cell of a table: the cells that pass, of those that apply; the colour is that of the worst."""
    worst = tally.worst
    if worst is None:
        return el("td", class_="none")
    said = ", ".join(f"{count} {word}" for word, count in tally.words.items())
    shown = f"{MARKS[worst].sign} {tally.good}" if tally.applicable else MARKS["not-applicable"].sign
    more = el("small", f"/{tally.applicable}") if tally.good != tally.applicable else None
    return el("td", el("span", shown, more), title=said, class_=f"w-{worst}")


def _differences(runs: Sequence[Run]) -> Markup | None:
    found = differing(runs)
    if not found:
        return None
    rows = [
        el(
            "tr",
            el("td", el("span", one.level, class_=f"level l-{one.level}")),
            el("td", el("code", one.name)),
            [el("td", count or "", class_="n") for count in one.cells],
        )
        for one in found[:SUBJECTS]
    ]
    head = el("thead", el("tr", el("th", "level"), el("th", "what differs, in how many cells"), _heads(runs)))
    rest = len(found) - SUBJECTS
    more = el("p", f"and {rest} more; the page of each port holds them all", class_="legend") if rest > 0 else None
    levels = [level for level in LEVELS if any(one.level == level for one in found)]
    legend = el("p", "; ".join(f"{level}: {LEVEL_WORDS[level]}" for level in levels), class_="legend")
    table = el("table", head, el("tbody", rows), class_="subjects")
    return el("section", el("h2", "What differs"), el("div", table, class_="scroll"), more, legend, id="differences")


def _scenarios(runs: Sequence[Run]) -> Markup:
    found = parting(runs)
    titles = {name: title for run in runs for name, title in run.header.titles.items()}
    rows = [
        el(
            "tr",
            el("th", el("code", name), el("span", f" {titles.get(name, '')}", class_="title"), scope="row"),
            map(_heat, tallies),
        )
        for name, tallies in list(found.items())[:SCENARIOS]
    ]
    everywhere = len({name for run in runs for name in run.scenarios}) - len(found)
    words = f"{number(everywhere, 'scenario')} more: pass with every port to which they apply."
    if (rest := len(found) - SCENARIOS) > 0:
        words = f"and {rest} more that not every port passes. {words}"
    head = el("thead", el("tr", el("th", "scenario", scope="col"), _heads(runs)))
    table = el("table", head, el("tbody", rows), class_="matrix") if rows else None
    legend = el("p", words, class_="legend")
    return el("section", el("h2", "Scenarios"), el("div", table, class_="scroll"), legend, id="scenarios")


def _foot(runs: Sequence[Run]) -> Iterator[Markup]:
    marks = [
        el("li", el("span", mark.sign, class_=f"mark-sign w-{word}"), f" {mark.meaning}")
        for word, mark in MARKS.items()
        if any(run.words[word] for run in runs)
    ]
    yield el("details", el("summary", "Marks"), el("ul", marks, class_="plainlist"), open=True)
    if limits := list(dict.fromkeys(limit for run in runs for limit in run.header.limits)):
        rows = [el("li", limit) for limit in limits]
        yield el("details", el("summary", "What a green run does not claim"), el("ul", rows), id="limits", open=True)
