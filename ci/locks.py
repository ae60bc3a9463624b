"""The lock files of the Python side: every package by version and hash, and no address of any index."""

from __future__ import annotations

import sys
from pathlib import Path

from ci.house import NETWORK, House
from ci.process import SetUpError

OPTIONS = ("--universal", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--upgrade")


def make(house: House) -> None:
    """Makes requirements.lock from pyproject.toml, and each ci/locks/NAME.txt from NAME.in. Raises `SetUpError`."""
    _compile(house, Path("pyproject.toml"), Path("requirements.lock"), "--extra", "dev")
    for wanted in sorted(house.locks.glob("*.in")):
        _compile(house, wanted.relative_to(house.root), wanted.with_suffix(".txt").relative_to(house.root))


def _compile(house: House, source: Path, target: Path, *options: str) -> None:
    words: list[str | Path] = [
        house.uv,
        "pip",
        "compile",
        source,
        *options,
        *OPTIONS,
        "--python",
        house.python,
        "--output-file",
        target,
    ]
    house.shell.run("lock", words, house.root, NETWORK)
    text = (house.root / target).read_text(encoding="utf-8")
    if "://" in text:
        (line,) = [line for line in text.splitlines() if "://" in line][:1]
        raise SetUpError("lock", f"{target} names an address: {line}", "depend on a released version of that package.")
    pins = sum(1 for line in text.splitlines() if line[:1].isalnum())
    sys.stderr.write(f"{target}: {pins} pinned\n")
