"""Skeletons: drivers to begin with, in several languages, that pass the check and offer nothing yet."""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec import Struct

_HERE = Path(__file__).resolve().parent / "skeletons"


class Skeleton(Struct, frozen=True):
    """What stands in a language's folder: how to build it, and how to start it (inside the folder)."""

    build: tuple[str, ...]
    start: str


SKELETONS = {
    "python": Skeleton((), "python3 driver.py"),
    "node": Skeleton((), "node driver.mjs"),
    "go": Skeleton(("go", "build", "-o", "driver", "."), "./driver"),
    "rust": Skeleton(("cargo", "build", "--quiet"), "./target/debug/driver"),
}


def write(language: str, folder: Path) -> Skeleton:
    """Write a language's skeleton into `folder`, which must be empty or new. Raises FileExistsError."""
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: name a new folder")
    shutil.copytree(_HERE / language, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return SKELETONS[language]
