"""Which Python can run this project."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
from typing import Dict, Mapping, Optional, Sequence, Tuple  # noqa: UP035 - an old Python reads this module

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
        if found is not None and answers(found):
            return found
    return None


def answers(binary: str) -> bool:
    """Whether this Python runs."""
    try:
        answer = subprocess.run([binary, "-c", "print(6 * 7)"], capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.strip() == b"42"


def all_of_them(environ: Mapping[str, str]) -> Dict[str, str]:  # noqa: UP006
    """Every fitting Python on this machine by its name: those on PATH, and those that pyenv keeps."""
    pyenv = environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")  # noqa: PTH111
    places = environ.get("PATH", os.defpath).split(os.pathsep) + glob.glob(pyenv + "/versions/*/bin")  # noqa: PTH207
    found = {}
    for name in names():
        for place in places:
            binary = shutil.which(name, path=place)
            if binary is not None and answers(binary):
                found[name] = binary
                break
    return found


def hint(version: Sequence[object]) -> str:
    """What to tell somebody whose Python is too old, and who has no other."""
    return (
        "bullmq-compat needs Python %d.%d or newer; this is %s.%s, and none of %s is on PATH.\n"  # noqa: UP031
        "Install one (Debian and Ubuntu: apt-get install python3.12; macOS: brew install python@3.13;\n"
        "with uv: uv python install 3.13), then repeat the command with it, as in: python3.13 ci test\n"
    ) % (OLDEST[0], OLDEST[1], version[0], version[1], ", ".join(names()))
