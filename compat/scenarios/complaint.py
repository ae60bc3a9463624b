"""A complaint: what is wrong with a scenario, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from msgspec import Struct

#: A place in a scenario, from the root: `("steps", 2, "add", "name")`.
Path = tuple[str | int, ...]


class Complaint(Struct, frozen=True):
    """One thing wrong. `message` says what was seen, what was expected and what to do; `line` counts from 1."""

    path: Path
    message: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        where = spell(self.path)
        text = f"{where}: {self.message}" if where else self.message
        return f"{self.file}:{self.line}: {text}" if self.file else text


class ScenarioError(Exception):
    """A file is no scenario, or not one that can be run. `file`, `line` and `message` are the first complaint's."""

    def __init__(self, *complaints: Complaint) -> None:
        super().__init__("\n".join(map(str, complaints)))
        self.complaints = complaints
        self.file, self.line, self.message = complaints[0].file, complaints[0].line, complaints[0].message


def spell(path: Path) -> str:
    """A path as a person writes it: `steps[2].add.name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(seen: str, known: Iterable[str], shown: Iterable[str] | None = None, stem: str = "") -> str:
    """Words that help somebody who mistyped a name: the nearest one, or all there are (of `shown`, if not of known).
    What all of `known` begin with is the `stem`: it makes no name any nearer."""
    known = set(known)
    endings = sorted(name.removeprefix(stem) for name in known)
    near = difflib.get_close_matches(seen.removeprefix(stem), endings, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{stem}{near[0]}`?"
    names = sorted(known if shown is None else set(shown))
    return f"there are {', '.join(f'`{name}`' for name in names)}" if names else "there are none"
