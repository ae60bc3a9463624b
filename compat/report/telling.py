"""A scenario told whole: why it is, who takes part, what is done, what must be true."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from compat.model.facts import Quirk
from compat.model.scenario import Scenario
from compat.report.sentences import fact_words, loss_words, object_words, rule_words, span_words, step_words
from compat.report.text import printable, shortened

_LONGEST = 600  # characters of a sentence

#: The line on which a place of the file stands: `line(("steps", 2))`.
Line = Callable[[tuple[str | int, ...]], int]


def telling(scenario: Scenario, file: str, line: Line) -> RenderableType:
    """The scenario in words, each step with its line in `file`."""
    return Group(*_parts(scenario, file, line))


def _parts(scenario: Scenario, file: str, line: Line) -> Iterator[RenderableType]:
    yield Text(printable(scenario.id), style="bold underline")
    yield Text(printable(scenario.title), style="bold")
    if scenario.why:
        yield Text(printable(scenario.why))
    yield Text()
    yield _facts(scenario, file)
    yield from _section(
        "Objects",
        [(line(("objects", name)), f"{name}: {object_words(spec)}") for name, spec in scenario.objects.items()],
    )
    yield from _section(
        "The processor", [(line(("program", n)), rule_words(rule)) for n, rule in enumerate(scenario.program)]
    )
    yield from _section("Steps", [(line(("steps", n)), step_words(step)) for n, step in enumerate(scenario.steps)])
    yield from _section(
        "Must be true on every side",
        [(line(("expect", n)), fact_words(fact)) for n, fact in enumerate(scenario.expect)],
    )
    yield from _section(
        "What is timed, on both sides",
        [(line(("timing", n)), span_words(span)) for n, span in enumerate(scenario.timing)],
    )
    yield from _section(
        "What is lost, with Node, too",
        [(line(("losses", n)), loss_words(loss)) for n, loss in enumerate(scenario.losses)],
    )
    yield from _section(
        "Laws that Node itself breaks here",
        [(line(("laws",)), f"{law}: {reason}") for law, reason in scenario.laws.excepted.items()],
    )
    yield from _section(
        "Quirks: Node's own errors, which a port may do without",
        [(line(("quirks", n)), _quirk(quirk)) for n, quirk in enumerate(scenario.quirks)],
    )


def _quirk(quirk: Quirk) -> str:
    facts = "; ".join(map(fact_words, quirk.expect))
    return f"{quirk.name}: {quirk.reason} Mended in {quirk.mended}; then {facts}"


def _facts(scenario: Scenario, file: str) -> RenderableType:
    rows = {
        "file": file,
        "arms": ", ".join(scenario.arms),
        "on": ", ".join(scenario.topologies),
        "covers": ", ".join(scenario.covers),
        "tags": ", ".join(scenario.tags),
        "needs": ", ".join(scenario.needs),
        "events": "compared job by job" if scenario.order == "per-job" else "",
        "hash tag": {"prefix": "", "queue": "in the queue's name", "none": "nowhere"}[scenario.tagging],
    }
    return _grid((name, words) for name, words in rows.items() if words)


def _section(title: str, rows: list[tuple[int, str]]) -> Iterator[RenderableType]:
    if rows:
        yield Text()
        yield Text(title, style="bold")
        yield Padding(_grid((str(line), words) for line, words in rows), (0, 0, 0, 2), expand=False)


def _grid(rows: Iterator[tuple[str, str]]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, words in rows:
        grid.add_row(Text(name), Text(printable(shortened(words, _LONGEST))))
    return grid
