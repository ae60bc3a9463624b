"""Stamps: what a step was last made from, so that a second start does nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def key(*facts: str | Path) -> str:
    """One hash of a step's inputs: texts as they are, files by content; a missing file is an input too."""
    digest = hashlib.sha256()
    for fact in facts:
        data = fact.encode() if isinstance(fact, str) else _content(fact)
        digest.update(len(data).to_bytes(8, "big"))  # else ("a", "bc") and ("ab", "c") would be the same
        digest.update(data)
    return digest.hexdigest()


def _content(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b"\0missing"


class Stamps:
    """The stamps of one checkout: small files in a folder, a key in each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def holds(self, step: str, wanted: str, products: Iterable[Path]) -> bool:
        """Whether the step was made from these inputs and what it made is still there."""
        try:
            stamped = (self.folder / step).read_text(encoding="ascii")
        except FileNotFoundError:
            return False
        return stamped == wanted and all(product.exists() for product in products)

    def put(self, step: str, made_from: str) -> None:
        """Says that the step is done."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / step).write_text(made_from, encoding="ascii")

    def drop(self, steps: Iterable[str]) -> None:
        """Says that these steps are not done; said before work starts, so that a broken start is seen later."""
        for step in steps:
            (self.folder / step).unlink(missing_ok=True)
