"""Several ports on one page: who passes what, what differs in which, where they part."""

from __future__ import annotations

from html.parser import HTMLParser

from msgspec.structs import replace

from compat.model.cell import Cell
from compat.model.history import Implementation
from compat.model.verdict import CellVerdict, Difference
from compat.report.collected import Run
from compat.report.html import ports_page
from compat.report.side_by_side import differing, parting

RUST = Implementation("rusty", "2.0.0", "Rust", "5.62.0")
EVIL = "<script>alert(1)</script>\x1b"


def of(run: Run, port: Implementation, *verdicts: CellVerdict) -> Run:
    return Run(replace(run.header, port=port), verdicts)


def came(scenario: str, word: str, *differences: Difference) -> CellVerdict:
    return CellVerdict(Cell(scenario, "self", "single"), word, 9, differences)  # type: ignore[arg-type]


def difference(what: str, level: str = "state") -> Difference:
    return Difference(f"a/b#end/{what}", level, "mail", "left", "right", "It differs.")  # type: ignore[arg-type]


class Text(HTMLParser):
    """The rows of a page's tables, as texts, and tags that are left open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags += [tag] * (tag not in ("meta", "br"))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.tags.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"] and {"td", "th"} & set(self.tags):
            self.rows[-1][-1] += data


def test_what_differs_is_told_once_with_its_cells_in_each_port(run: Run) -> None:
    one = of(run, run.header.port, came("a/b", "fail", difference("job.pb"), difference("events", "event")))
    other = of(run, RUST, came("a/b", "fail", difference("events", "event")), came("a/c", "known", difference("id")))
    assert [(row.level, row.name, row.cells) for row in differing([one, other])] == [
        ("state", "id", (0, 1)),
        ("state", "job.pb", (1, 0)),
        ("event", "events", (1, 1)),
    ]


def test_what_is_milder_than_the_gate_of_its_run_is_left_out(run: Run) -> None:
    assert differing([of(run, RUST, came("a/b", "pass", difference("job.data.bytes", "encoding")))]) == ()


def test_scenarios_that_every_port_passes_are_left_out(run: Run) -> None:
    one = of(run, run.header.port, came("a/b", "pass"), came("a/c", "fail"), came("a/d", "not-applicable"))
    other = of(run, RUST, came("a/b", "pass"), came("a/c", "pass"))
    assert list(parting([one, other])) == ["a/c"]


def test_the_matrix_has_a_row_an_area_and_a_column_a_port(run: Run) -> None:
    other = of(run, RUST, *(replace(v, word="pass", differences=()) for v in run.verdicts))
    rows = Text(ports_page([run, other])).rows
    assert ["retry", "✗ 1/3", "✓ 3"] in rows
    assert ["all", "! 2/8", "✓ 10"] in rows
    assert any(row[0] == "area" and row[1:] == ["gopherq0.3.1", "rusty2.0.0"] for row in rows)


def test_a_page_holds_no_text_that_is_not_escaped_and_loads_nothing(run: Run) -> None:
    evil = Difference(f"a/b#end/{EVIL}", "state", EVIL, EVIL, EVIL, EVIL)
    port = Implementation(EVIL, EVIL, EVIL, "5.62.0")
    page = ports_page([of(run, port, came(EVIL, "fail", evil)), run])
    assert "<script" not in page and "\x1b" not in page and "src=" not in page and "href=" not in page
    assert "default-src &#x27;none&#x27;" in page and Text(page).tags == []


def test_one_run_is_a_page_as_well(run: Run) -> None:
    assert "<title>1 port against bullmq 5.62.0</title>" in ports_page([run])
