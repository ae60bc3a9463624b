"""Versions of Node's BullMQ beside the oracle's: installed when first asked for, kept under `.state/ports`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from compat.drivers.errors import ImplementationError
from compat.drivers.places import ROOT, node_binary
from compat.ports.environments import READY, STATE, alone, attempt

#: A folder a version, with the lock file that says what is installed for it.
LOCKS = ROOT / "node" / "versions"


def versions(locks: Path = LOCKS) -> tuple[str, ...]:
    """The versions that can be installed, oldest first."""
    found = (file.parent.name for file in locks.glob("*/package-lock.json"))
    return tuple(sorted(found, key=lambda version: [int(part) for part in version.split(".")]))


def package(version: str, state: Path = STATE, locks: Path = LOCKS) -> Path:
    """The folder of BullMQ in `version`, as `npm ci` made it from the lock file; made if there is none.

    Blocks while packages are installed (seconds), and while another process installs the same. Raises
    `ImplementationError` with what was tried and what to do.
    """
    if version not in versions(locks):
        known = ", ".join(f"node@{known}" for known in versions(locks)) or "none"
        raise ImplementationError(
            f"there is no lock file for bullmq {version} of Node (there are: {known}); "
            f"one is made by `npm install --package-lock-only` beside a package.json in {locks}"
        )
    home = state / f"node-{version}"
    found = home / "node_modules" / "bullmq"
    stamp = (locks / version / "package-lock.json").read_text(encoding="utf-8")
    with alone(home.with_name(f"{home.name}.lock")):
        ready = home / READY
        if found.is_dir() and ready.exists() and ready.read_text(encoding="utf-8") == stamp:
            return found
        shutil.rmtree(home, ignore_errors=True)
        _install(version, home, locks)
        ready.write_text(stamp, encoding="utf-8")
    return found


def _install(version: str, home: Path, locks: Path) -> None:
    home.mkdir(parents=True)
    for file in (locks / version / "package.json", locks / version / "package-lock.json", locks.parent / ".npmrc"):
        if file.exists():
            shutil.copy(file, home)
    words = [*_npm(), "ci", "--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier"]
    done = attempt(words, home)
    if done.returncode != 0:
        said = "\n".join(f"  {line}" for line in (done.stderr or done.stdout).strip().splitlines()[-8:])
        raise ImplementationError(
            f"bullmq {version} could not be installed for Node; npm needs its registry (behind a proxy or a mirror, "
            f"configure npm for it), then repeat\n`npm ci` in {home} ended with exit code {done.returncode}:\n{said}"
        )


def _npm() -> list[str]:
    """The words that start npm: the one that came with the project's Node, else the one on PATH."""
    node = node_binary()
    said = attempt([node, "-p", "JSON.stringify(process.execPath)"]).stdout
    if said:
        own = Path(json.loads(said)).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if own.exists():
            return [node, str(own)]
    found = shutil.which("npm")
    if found is None:
        raise ImplementationError("no `npm` was found; put Node 18 or later, with npm, on PATH")
    return [found]
