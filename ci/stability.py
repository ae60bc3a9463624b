"""The stability check: the oracle against itself, a few times whole, and often where a change touched a scenario."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence

from ci.house import House

WHOLE, TOUCHED = 3, 20  # repeats


def run(house: House, since: str = "") -> int:
    """All scenarios 3 times, then those that were added or changed since the commit `since` 20 times; the worse exit
    code. Without `since`: since the branch left `origin/main`, or else since the commit before."""
    base = since or _base(house)
    named = _git(house, "diff", "--name-only", "--diff-filter=d", base, "--", "scenarios")
    new = _git(house, "ls-files", "--others", "--exclude-standard", "--", "scenarios")
    if named is None or new is None:
        sys.stderr.write(
            f"python3 ci stability: git knows no commit {base!r}, so what has changed since cannot be told. Name one "
            "that is there, or fetch it (a shallow clone lacks it: fetch-depth: 0)\n"
        )
        return 3
    ids = touched([*named, *new])
    code = _stability(house, WHOLE)
    if ids:
        sys.stderr.write(f"touched since {base}: {', '.join(ids)}\n")
        code = max(code, _stability(house, TOUCHED, ids))
    else:
        sys.stderr.write(f"no scenario was touched since {base}\n")
    return code


def touched(files: Iterable[str]) -> tuple[str, ...]:
    """The scenarios that are among the files of a change: `scenarios/retry/fixed.yaml` is `retry/fixed`."""
    found = (file.removeprefix("scenarios/") for file in files if file.startswith("scenarios/"))
    return tuple(sorted({file.removesuffix(".yaml") for file in found if file.endswith(".yaml")}))


def _base(house: House) -> str:
    merged = _git(house, "merge-base", "HEAD", "origin/main")
    head = _git(house, "rev-parse", "HEAD")
    return merged[0] if merged and merged != head else "HEAD~1"


def _git(house: House, *words: str) -> list[str] | None:
    """The lines that git prints; None when it fails."""
    done = subprocess.run(["git", *words], cwd=house.root, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else None


def _stability(house: House, repeats: int, ids: Sequence[str] = ()) -> int:
    words = ("-m", "compat", "stability", *ids, "--repeats", str(repeats), "--quiet")
    return subprocess.call([house.python, *words], cwd=house.root, env=house.activated())
