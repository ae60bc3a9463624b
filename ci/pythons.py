"""Which Python can run this project."""

from __future__ import annotations

import shutil
import subprocess
from typing import Optional, Sequence, Tuple  # noqa: UP035 - an old Python reads this module

OLDEST = (3, 11)
NEWEST = (3, 14)


def is_new_enough(version: Sequence[object]) -> bool:
    """Whether a version, (major, minor, …), can run this project."""
    return tuple(version[:2]) >= OLDEST


def names() -> Tuple[str, ...]:  # noqa: UP006
    """Names to look for on PATH, newest first: python3.14 … python3.11."""
    return tuple("python3.%d" % minor for minor in range(NEWEST[1], OLDEST[1] - 1, -1))  # noqa: UP031


def find(path: str) -> Optional[str]:  # noqa: UP045
    """The newest fitting Python on a PATH, tried by running it: version managers leave shims that only complain."""
    for name in names():
        found = shutil.which(name, path=path)
        if found is None:
            continue
        try:
            answer = subprocess.run([found, "-c", "print(6 * 7)"], capture_output=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0 and answer.stdout.strip() == b"42":
            return found
    return None


def hint(version: Sequence[object]) -> str:
    """What to tell somebody whose Python is too old, and who has no other."""
    return (
        "bullmq-compat needs Python %d.%d or newer; this is %s.%s, and none of %s is on PATH.\n"  # noqa: UP031
        "Install one (Debian and Ubuntu: apt-get install python3.12; macOS: brew install python@3.13;\n"
        "with uv: uv python install 3.13), then repeat the command with it, as in: python3.13 ci test\n"
    ) % (OLDEST[0], OLDEST[1], version[0], version[1], ", ".join(names()))
