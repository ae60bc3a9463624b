"""Each requirement leads to a test or a scenario that shows it, or is named as not shown yet."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from compat.scenarios import load

ROOT = Path(__file__).parents[2]
REQUIREMENTS = frozenset(f"T{number:03}" for number in range(1, 189))
_ID = re.compile(r"\bT(\d{3})\b(?:\s*[–-]\s*T(\d{3})\b)?")


def test_each_requirement_is_shown_or_named_as_not_shown_yet() -> None:
    missing = REQUIREMENTS - cited() - not_yet()
    assert not missing, f"{_list(missing)}: cite in a test's docstring or a scenario's `covers`"


def test_the_list_of_what_is_not_shown_yet_only_shrinks() -> None:
    shown = not_yet() & cited()
    assert not shown, f"{_list(shown)}: cited by now; strike from `Not yet` in LIMITS.md"


def test_only_requirements_that_exist_are_cited() -> None:
    unknown = (cited() | not_yet()) - REQUIREMENTS
    assert not unknown, f"{_list(unknown)}: there are T001 to T188"


def test_a_range_of_ids_means_each_of_them() -> None:
    assert set(_ids("(T098–T100, T007)")) == {"T098", "T099", "T100", "T007"}


def cited() -> frozenset[str]:
    """What scenarios cover and what the docstrings of tests name."""
    covers = {name for scenario in load([ROOT / "scenarios"]) for name in scenario.covers if name.startswith("T")}
    return frozenset(covers | {name for text in _docstrings() for name in _ids(text)})


def not_yet() -> frozenset[str]:
    """The ids under `Not yet` in LIMITS.md."""
    text = (ROOT / "LIMITS.md").read_text("utf-8")
    _, heading, after = text.partition("\n## Not yet\n")
    assert heading, "LIMITS.md has lost its section `## Not yet`"
    return frozenset(_ids(after.partition("\n## ")[0]))


def _docstrings() -> Iterator[str]:
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        if file == Path(__file__):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield ast.get_docstring(node) or ""


def _ids(text: str) -> Iterator[str]:
    for first, last in _ID.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"T{number:03}"


def _list(ids: frozenset[str]) -> str:
    return ", ".join(sorted(ids))
