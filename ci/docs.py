"""The documentation site: built in an environment of its own, strictly, so that a broken link or an undocumented name
fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ci.house import NETWORK, House
from ci.stamps import key
from ci.steps import Step, make, stale


def build(house: House) -> int:
    """The site from mkdocs.yml, in `.state/site`; the exit code of mkdocs."""
    env = house.state / "docs"
    lock = house.locks / "docs.txt"
    step = Step("docs packages", key(str(house.root), lock), lambda: _make(house, env, lock), (env / "bin" / "mkdocs",))
    make(stale([step], house.stamps), house.stamps, _say, house.shell.stop)
    site = house.state / "site"
    words: list[str | Path] = [env / "bin" / "mkdocs", "build", "--strict", "--clean", "--site-dir", site]
    code = subprocess.call(words, cwd=house.root, env=house.environ | {"NO_MKDOCS_2_WARNING": "1"})
    if code == 0:
        _say(f"docs: {site / 'index.html'}")
    return code


def _make(house: House, env: Path, lock: Path) -> None:
    house.shell.run("docs packages", [house.uv, "venv", "--clear", "--python", house.python, env], house.root, NETWORK)
    words: list[str | Path] = [house.uv, "pip", "sync", "--require-hashes", "--python", env / "bin" / "python", lock]
    if house.shell.attempt([*words, "--offline"], house.root)[0] != 0:
        house.shell.run("docs packages", words, house.root, NETWORK)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
