"""The HTML report in Chromium: it opens from a file, filters, expands, and is readable at any width, light and dark."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from compat.model.cell import Arm, Cell
from compat.model.history import Implementation
from compat.model.run import Footer, Header, ScriptCall, TraceEntry
from compat.model.verdict import CellVerdict, Difference, Level
from compat.report.collected import Run
from compat.report.html import page as html
from compat.report.html import ports_page

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 60_000  # ms
EVIL = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">\u202e\x1b"
NODE = Implementation("bullmq", "5.62.0", "JavaScript", "5.62.0")

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}")


def a_run() -> Run:
    def difference(check: str, level: Level = "state") -> Difference:
        return Difference(check, level, EVIL, {"a": EVIL, "b": [1, 2]}, None, EVIL, EVIL)

    arms: tuple[Arm, ...] = ("self", "produce", "consume", "shadow")
    evil = Cell(f"evil/{EVIL}", "self", "single")
    verdicts = (
        *(CellVerdict(Cell("job/add", arm, "single"), "pass", 12, seconds=0.1) for arm in arms),
        *(CellVerdict(Cell("job/add", arm, "cluster"), "pass", 12, seconds=0.1) for arm in arms),
        CellVerdict(Cell("retry/fixed", "self", "single"), "fail", 9, (difference("retry/fixed#end/job.x"),)),
        CellVerdict(Cell("retry/fixed", "consume", "cluster"), "not-applicable", reason="no `cluster`"),
        CellVerdict(evil, "fail", 3, (difference(f"evil/{EVIL}#end/job.y", "breaks-peer"),), EVIL, EVIL, 1.0, (EVIL,)),
    )
    header = Header(
        "2026-11-24T12:00:00+00:00", "0.1.0", NODE, Implementation(EVIL, "1.0", "Go", "5.62.0"), {"single": EVIL},
        3, len(verdicts), "encoding", 4, titles={"retry/fixed": "A job is tried again"}, limits=(EVIL, "Time is moved"),
    )  # fmt: skip
    footer = Footer(3, len(verdicts), 1, {}, {}, 9.0, 0.5, 1, (("job/add[self,single]", 2.0),), 0.1)
    call = ScriptCall(0.1, "port", "addStandardJob", (EVIL,), ('["<prefix>:", ""]', ""))
    return Run(header, verdicts, footer, {evil: TraceEntry(evil, "fail", (call,), (call, call))})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "report.html"
    place.write_text(html(a_run()), encoding="utf-8")
    return place


@asynccontextmanager
async def opened(file: Path, width: int = 1280, scheme: str = "light", fragment: str = "") -> AsyncIterator[Page]:
    """The page in a browser that may load nothing but this file. Errors and what it asks for fail the test."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE)
        context = await browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        told: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{file.as_uri()}{fragment}")
        yield page
        assert (told, len(asked)) == ([], 1)
        await browser.close()


async def shown(page: Page) -> list[str]:
    """The names of the scenarios in sight."""
    return [name[:11] for name in await page.locator(".scenario:visible .name code").all_text_contents()]


async def test_markup_in_values_shows_as_text(file: Path) -> None:
    """Of names, values, words, stderr, calls and limits (T145)."""
    async with opened(file) as page:
        await page.get_by_role("button", name="open all").click()
        assert "taken" not in (await page.title()).replace("document.title='taken'", "")
        assert await page.locator("img").count() == 0 and await page.locator("script").count() == 1
        for place in (".side.oracle pre", ".words", ".raw", ".cells", "#limits", ".trace .words-list", "h1", ".why"):
            assert "document.title='taken'" in (await page.locator(place).all_text_contents())[0], place
        assert "\u202e" not in await page.content() and "\\u202e" in await page.locator("h1").inner_text()


async def test_words_arms_and_topologies_filter_together_and_are_cleared(file: Path) -> None:
    async with opened(file) as page:
        everything = await shown(page)
        assert everything == ["evil/</scri", "retry/fixed", "job/add"]
        await page.locator(".chip[data-word=fail]").click()
        assert await shown(page) == everything[:2]
        await page.locator(".chip[data-topology=cluster]").click()
        assert await shown(page) == [] and await page.get_by_text("No scenario matches.").is_visible()
        await page.get_by_role("button", name="clear").click()
        assert await shown(page) == everything


async def test_search_finds_names_titles_and_checks(file: Path) -> None:
    async with opened(file) as page:
        for words, found in (("tried again", ["retry/fixed"]), ("ADD", ["job/add"]), ("job.y", ["evil/</scri"])):
            await page.locator("#search").fill(words)
            assert await shown(page) == found
        assert await page.locator("#count").inner_text() == "1 of 3 scenarios"


async def test_a_cell_of_the_matrix_leads_to_its_scenarios(file: Path) -> None:
    async with opened(file) as page:
        await page.locator(".matrix [data-area=job][data-arm=shadow][data-topology=cluster]").click()
        assert await shown(page) == ["job/add"]
        await page.locator(".subjects button", has_text="job.x").click()
        assert await shown(page) == ["retry/fixed"]


async def test_a_scenario_expands_and_can_be_linked_to(file: Path) -> None:
    async with opened(file, fragment="#retry/fixed") as page:
        assert await page.locator(".scenario[open] .finding").is_visible()
        await page.locator(".scenario", has_text="job/add").locator("> summary").click()
        assert await page.locator(".scenario[open] .cells").count() == 2


async def test_calls_of_both_sides_stand_beside_each_other(file: Path) -> None:
    async with opened(file) as page:
        await page.locator(".scenario", has_text="evil").locator("> summary").click()
        trace = page.locator(".trace")
        await trace.locator("summary").click()
        assert await trace.locator(".oracle li").count() == 1 and await trace.locator(".port li").count() == 2
        assert "KEYS" in await trace.locator(".port li").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
async def test_it_fits_its_window_and_is_readable(file: Path, width: int, scheme: str) -> None:
    """Nothing is wider than the page, no text is small, and text stands out from what is behind it."""
    async with opened(file, width, scheme) as page:
        await page.get_by_role("button", name="open all").click()
        await _readable(page, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
async def test_several_ports_fit_on_a_page_as_well(tmp_path: Path, width: int, scheme: str) -> None:
    file = tmp_path / "ports.html"
    file.write_text(ports_page([a_run()] * 4), encoding="utf-8")
    async with opened(file, width, scheme) as page:
        assert await page.locator("#matrix thead th").count() == 5
        assert await page.locator("img, script").count() == 0
        await _readable(page, width)


async def _readable(page: Page, width: int) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = await page.evaluate(_TEXTS)
    assert min(size for size, _, _ in sizes) >= 11
    poor = [(ratio, text) for _, ratio, text in sizes if ratio < 4.5]
    assert not poor, poor[:5]


#: Of every element with text in sight: its size in px, its contrast (WCAG) and its text.
_TEXTS = """() => {
  const channels = (color) => {
    const found = color.match(/[\\d.]+/g).map(Number);
    return found.length < 4 ? [...found, 1] : found;
  };
  const linear = (value) => (value <= .03928 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4);
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((value) => linear(value / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const color = channels(getComputedStyle(element).backgroundColor);
      if (color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const holds = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.checkVisibility() && holds(element))
    .map((element) => {
      const style = getComputedStyle(element);
      const [a, b] = [light(channels(style.color)), light(behind(element))];
      const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
      return [parseFloat(style.fontSize), ratio, element.textContent.slice(0, 40)];
    });
}"""
