"""The HTML page is whole in itself, escapes what it shows, marks where values differ, and stays of bounded size."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from msgspec.structs import replace

from compat.model.cell import Cell
from compat.model.run import ScriptCall, TraceEntry
from compat.model.verdict import CellVerdict, Difference
from compat.report.collected import Run
from compat.report.html import page
from compat.report.html.markup import Markup, el, joined
from compat.report.html.scenario import LIMIT
from compat.report.html.values import LINES, laid_out, sides


class Tree(HTMLParser):
    """Reads a page and notes tags that are left open, links and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def read(html: str) -> Tree:
    tree = Tree()
    tree.feed(html)
    tree.close()
    assert tree.open == []
    return tree


def test_the_page_tells_every_word_reason_and_difference_and_loads_nothing(run: Run) -> None:
    tree = read(page(run))
    assert tree.links == []
    for words in ("gopherq 0.3.1", "no capability `cluster`", "the driver ended with exit code 2", "issue 12",
                  "Node shows the quotes", "panic: \\x1b[31mnil map", "known.yaml: passes now", "slowest"):  # fmt: skip
        assert words in tree.said, words


def test_an_interrupted_run_and_an_empty_one_are_pages_too(run: Run) -> None:
    assert "6not run" in read(page(Run(run.header, run.verdicts[:4]))).said
    assert "interrupted" in read(page(Run(run.header, ()))).said


def test_limits_and_titles_and_calls_are_told(run: Run) -> None:
    cell = Cell("retry/fixed", "self", "single")
    call = ScriptCall(1.5, "oracle", "addJob", ("<prefix>:mail:wait",), ('{"a": 1}',))
    trace = TraceEntry(cell, "fail", (call,), (), cut=3)
    header = replace(
        run.header,
        limits=("Time is moved",),
        unheard=("It says nothing",),
        titles={"retry/fixed": "It is tried again"},
        golden="a.golden",
    )
    said = read(page(Run(header, run.verdicts, run.footer, {cell: trace}))).said
    for words in (
        "Time is moved",
        "It says nothing",
        "It is tried again",
        "(golden)",
        "addJob",
        "<prefix>:mail:wait",
        "3 calls left out",
    ):
        assert words in said, words


def test_a_port_that_fails_everywhere_makes_no_page_without_end(run: Run) -> None:
    long = "<&" * 1_000
    told = tuple(Difference(f"s/s#end/f{i}", "state", long, [long, long], None, long) for i in range(50))
    verdicts = tuple(
        CellVerdict(Cell(f"s/{n:03}", "self", "single"), "fail", 1, told, stderr=(long,) * 60) for n in range(60)
    )
    html = page(Run(run.header, verdicts, run.footer))
    assert len(html) < LIMIT + 1_000_000
    assert "The page is full" in html and "and 10 more differences" in html
    read(html)


@pytest.mark.parametrize(
    ("child", "html"),
    [
        ("<b>&\"'", "<p>&lt;b&gt;&amp;&quot;&#x27;</p>"),
        (Markup("<b>"), "<p><b></p>"),
        (1234, "<p>1,234</p>"),
        (None, "<p></p>"),
        (["a", [Markup("<i>"), None]], "<p>a<i></p>"),
        ("\x1b\u202e\ud800", "<p>\\x1b\\u202e\\ud800</p>"),
        ("a\nb", "<p>a\nb</p>"),
    ],
)
def test_text_is_escaped_and_markup_is_not(child: Any, html: str) -> None:
    """(T145)"""
    assert el("p", child) == html == f"<p>{joined(child)}</p>"


def test_attributes_are_escaped_and_named_as_html_names_them() -> None:
    made = el("input", class_='a"b', data_word="x", hidden=True, open=False, title=None)
    assert made == '<input class="a&quot;b" data-word="x" hidden>'


def test_equal_lines_of_two_values_meet_whatever_the_order_of_keys() -> None:
    html = sides({"a": 1, "b": 2, "c": "x" * 60}, {"c": "x" * 60, "b": 3, "a": 1})
    marked = re.findall(r'class="mark">([^<]*)<', html)
    assert marked == ["  &quot;b&quot;: 2,", "  &quot;b&quot;: 3,"]


def test_an_absent_value_is_told_from_null_in_a_list() -> None:
    assert "absent" in sides(None, [None]) and "null" in sides(None, [None])


def test_long_values_show_their_differences_and_count_what_they_leave_out() -> None:
    one = [{"event": f"number {n}"} for n in range(1_000)]
    other = [*one[:500], {"event": "another"}, *one[501:]]
    html = sides(one, other)
    assert "another" in html and "498 equal lines" in html and html.count("<span") < 40
    assert f"{1_002 - LINES} more lines" in sides(one, [])


def test_a_stream_has_a_line_for_each_event() -> None:
    assert laid_out([{"event": "added"}, {"event": "waiting"}]) == [
        "[", '  {"event": "added"},', '  {"event": "waiting"}', "]",
    ]  # fmt: skip
    assert laid_out({}) == ["{}"] and laid_out("a") == ['"a"']
