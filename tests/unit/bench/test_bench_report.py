"""The figures as tables, as a chart and in the documentation."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from compat.bench.chart import chart
from compat.bench.docs import BEGIN, END, PAGE, page, write
from compat.bench.records import Machine, Record
from compat.bench.summary import Summary
from compat.bench.tables import tables, target_table
from compat.bench.targets import NODE, outcomes

Make = Callable[..., Record]
ROOT = Path(__file__).parents[3]
MACHINE = Machine("a processor", 2, "valkey 9.1.2", "CPython 3.11.7", "20.20.2", "2026-01-01")


@pytest.fixture
def summary(record: Make) -> Summary:
    return Summary(
        [
            record("W5", "ref", rate=12345.0, cpu=0.031),
            record("W5", NODE, rate=10000.0, tasks=None),
            record("W5", NODE, rate=20000.0, tasks=None, warm=True),
            record("W8", "ref", latencies=(0.5, 0.6, 0.9)),
        ],
        ["ref", NODE],
    )


def test_a_rate_stands_beside_its_ratio_to_node(summary: Summary) -> None:
    by_title = {table.title: table for table in tables(summary)}
    table = by_title[f"From the first job on: operations/s (to {NODE})"]
    assert table.head == ("", "ref", NODE)
    assert table.rows == (("W5", "12,345 (1.23)", "10,000 (1.00)"),)
    assert by_title["From the first job on: client CPU, µs an operation"].rows == (("W5", "31", "50"),)


def test_latencies_are_told_by_percentiles_and_what_is_missing_by_a_dash(summary: Summary) -> None:
    table = next(table for table in tables(summary) if table.title.startswith("Latency"))
    assert table.rows == (("W8", "0.60/0.90/0.90", "–"),)


def test_a_missed_target_is_told_aloud(record: Make) -> None:
    found = list(outcomes(Summary([record("W5", "ref", cpu=0.1)], ["ref"])))
    rows = {row[0]: row[2] for row in target_table(found).rows}
    assert rows["W5 cpu ≤ 60 µs/job"] == "MISSED"
    assert rows["W5 scripts ≤ 1.02 a job"] == "reached"


def test_the_chart_is_an_image_whose_bars_have_the_lengths_of_the_rates(summary: Summary) -> None:
    image = ET.fromstring(chart(summary))
    bars = {
        title.text.partition(":")[0]: float(bar.attrib["width"])
        for bar in image.iter("{http://www.w3.org/2000/svg}rect")
        for title in bar
        if title.text
    }
    assert bars["ref"] / bars[NODE] == pytest.approx(12345 / 20000, abs=0.01), "beside warm Node"


def test_a_chart_of_nothing_is_still_an_image() -> None:
    ET.fromstring(chart(Summary([], [])))


def test_the_page_keeps_its_words_and_gets_new_figures(summary: Summary, tmp_path: Path) -> None:
    (tmp_path / PAGE).write_text(f"# Words\n\n{BEGIN}\nold\n{END}\n\nMore words.\n")
    write(tmp_path, MACHINE, list(tables(summary)), chart(summary), noisy=2)
    text = (tmp_path / PAGE).read_text()
    assert text.startswith("# Words\n")
    assert text.endswith("More words.\n")
    assert "old" not in text
    assert "| W5 | 12,345 (1.23) | 10,000 (1.00) |" in text
    assert "2 measurements were disturbed" in text
    assert (tmp_path / "performance.svg").exists()


def test_a_page_without_the_marks_is_refused(summary: Summary) -> None:
    with pytest.raises(ValueError, match="figures: begin"):
        page("# Words\n", MACHINE, [], 0)


def test_the_documentation_has_a_profile_and_takes_new_figures() -> None:
    """Profiling is documented: where the time goes, and how it was found (T170, T171)."""
    text = (ROOT / "docs" / PAGE).read_text(encoding="utf-8")
    assert "## Where the time goes" in text
    assert "## How to profile" in text
    assert page(text, MACHINE, [], 0)
