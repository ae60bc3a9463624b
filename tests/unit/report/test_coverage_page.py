"""The page on coverage: the figures of a run, and the excuses as they stand in the code."""

from pathlib import Path

from compat.coverage.hits import ScriptHits
from compat.report.coverage import excuse_table, page

ROOT = Path(__file__).parents[3]
FLOOR = 95.0  # per cent of the lines that can be reached

FOUND = (
    ScriptHits("addLog", 10, (4, 5), {7: "nobody calls it"}),
    ScriptHits("saveStacktrace", 5, (), dict.fromkeys(range(5), "nobody calls it")),
)


def test_a_script_has_a_row_with_its_figures_and_one_that_cannot_be_reached_has_none() -> None:
    text = page(FOUND, scenarios=3, day="2026-11-24")
    assert "| `addLog` | 9 | 7 | 77.8 | 4-5 |" in text
    assert "On 2026-11-24, 3 scenarios ran **7 of the 9 lines that can be reached: 77.8 %**" in text
    assert text.count("`saveStacktrace`") == excuse_table().count("`saveStacktrace`")


def test_the_committed_page_has_the_excuses_of_today() -> None:
    """When this fails: `bullmq-compat coverage --docs docs`."""
    assert excuse_table() in (ROOT / "docs/coverage.md").read_text("utf-8")


def test_the_committed_page_tells_of_enough() -> None:
    text = (ROOT / "docs/coverage.md").read_text("utf-8")
    assert float(text.partition("can be reached: ")[2].partition(" %")[0]) >= FLOOR
