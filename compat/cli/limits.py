"""The limits: what a green run does not claim, as LIMITS.md has it, in a sentence each."""

from __future__ import annotations

import re
from pathlib import Path

import compat

_PACKAGE = Path(compat.__file__).parent
_HEAD = re.compile(r"^- \*\*(.+?)\*\*(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def limits() -> tuple[str, ...]:
    """One text a limit, in the page's order; none where the page is not there."""
    for file in (_PACKAGE.parent / "LIMITS.md", _PACKAGE / "LIMITS.md"):
        if file.is_file():
            before = file.read_text("utf-8").partition("\n## Not yet")[0]
            return tuple(
                " ".join(f"{head}{rest}".replace("`", "").replace("*", "").split())
                for head, rest in _HEAD.findall(before)
            )
    return ()


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").replace("*", "").split())
