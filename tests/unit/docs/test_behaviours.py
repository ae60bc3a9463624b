"""The pages that say which scenario shows what are true of the scenarios and tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BEHAVIOURS = range(1, 180)
#: Of the list of divergences, those that show every time; 67 to 79 were never given.
DIVERGENCES = [n for n in (*range(1, 67), *range(80, 115)) if n not in (41, 65, 89, 96, 107, 109)]
PAGES = [("behaviours", list(BEHAVIOURS)), ("divergences", DIVERGENCES)]
_LIMITS = "[limits](limits.md)"


@pytest.mark.parametrize(("page", "numbers"), PAGES)
def test_every_number_has_one_row_in_order(page: str, numbers: list[int]) -> None:
    assert [number for number, _ in rows(page)] == numbers


@pytest.mark.parametrize("page", [page for page, _ in PAGES])
def test_what_a_row_names_exists(page: str) -> None:
    missing = [f"{number}: {name}" for number, shown in rows(page) for name in named(shown) if not exists(name)]
    assert not missing, f"docs/{page}.md names what is not there: {missing}"


@pytest.mark.parametrize("page", [page for page, _ in PAGES])
def test_a_row_without_a_scenario_is_told_of_in_the_limits_and_no_other_is(page: str) -> None:
    told = {number for number, shown in rows(page) if _LIMITS in shown}
    bare = {number for number, shown in rows(page) if not any("::" not in name for name in named(shown))}
    assert bare <= told, (
        f"rows {sorted(bare - told)} of docs/{page}.md name no scenario: say why in LIMITS.md, and so here"
    )
    assert limited(page) == told, f"LIMITS.md and docs/{page}.md differ in {sorted(limited(page) ^ told)}"


def rows(page: str) -> list[tuple[int, str]]:
    """Number and last cell of each row of a page's tables."""
    text = (ROOT / f"docs/{page}.md").read_text("utf-8")
    cells = [re.split(r"(?<!\\)\|", line) for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    return [(int(row[1]), row[3]) for row in cells]


def named(shown: str) -> list[str]:
    return re.findall(r"`([^`]+)`", shown)


def exists(name: str) -> bool:
    """A scenario by its id, a test file by its path, or one test as `path::name`."""
    path, _, test = name.partition("::")
    if not path.endswith(".py"):
        return (ROOT / f"scenarios/{path}.yaml").is_file()
    file = ROOT / path
    if not file.is_file() or not test:
        return file.is_file()
    tree = ast.walk(ast.parse(file.read_text("utf-8")))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == test for node in tree)


def limited(page: str) -> set[int]:
    """The numbers in brackets in the point of LIMITS.md that begins with the page's name."""
    text = (ROOT / "LIMITS.md").read_text("utf-8")
    point = re.search(rf"^- \*\*{page.capitalize()}\b.*?(?=^- |^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert point is not None, f"LIMITS.md has no point that begins with **{page.capitalize()}"
    brackets = re.findall(r"\(((?:\d+|,|\s|and|to)+)\)", point[0])
    return {
        number
        for bracket in brackets
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", bracket)
        for number in range(int(first), int(last or first) + 1)
    }
