"""BullMQ's Lua scripts: taken unmodified from the npm package, checked against their sums, loaded by name.

The scripts are never part of this repository: `python -m bullmq_ref.lua [PACKAGE_DIR]` installs them.
"""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VERSION = "5.62.0"

_HERE = Path(__file__).resolve().parent
INSTALLED = _HERE / "_lua"
MANIFEST = _HERE / "lua.sha256"
DEFAULT_PACKAGE = _HERE.parent / "node" / "node_modules" / "bullmq"

_LITERAL = re.compile(r"const content = `((?:[^`\\]|\\.)*)`;", re.DOTALL)
_ESCAPE = re.compile(r"\\([`\\$])")


class LuaError(Exception):
    """A script is missing or is not the text this library was written for."""


@dataclass(frozen=True, slots=True)
class Script:
    """One script: `name` as BullMQ calls it, the number of KEYS, the text, and the SHA-1 that EVALSHA names it by."""

    name: str
    keys: int
    text: bytes
    sha: str


def extract(package: Path) -> dict[str, str]:
    """The scripts of an npm `bullmq` package, `{"addLog-2": text, …}`: the template literals of `dist/cjs/scripts`."""
    folder = package / "dist" / "cjs" / "scripts"
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*-*.js")):
        literal = _LITERAL.search(file.read_text(encoding="utf-8"))
        if literal is None:
            raise LuaError(f"{file} holds no script: expected a template literal named `content`. Is this bullmq?")
        found[file.stem] = _ESCAPE.sub(r"\1", literal[1])
    if not found:
        raise LuaError(f"No scripts in {folder}. Install the npm package bullmq {VERSION} first (npm ci in node/).")
    return found


def manifest() -> dict[str, str]:
    """SHA-256 sums by script, `{"addLog-2": "…"}`, of the texts this library was written for."""
    lines = MANIFEST.read_text(encoding="ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def install(package: Path = DEFAULT_PACKAGE) -> Path:
    """Write the scripts of `package` where `load` finds them, after checking every sum. Returns the folder.

    Raises LuaError, and writes nothing, when a script is missing, unknown or differs.
    """
    scripts, expected = extract(package), manifest()
    if wrong := sorted(scripts.keys() ^ expected.keys()):
        raise LuaError(f"{package} is not bullmq {VERSION}: missing or unknown scripts {', '.join(wrong)}.")
    for name, text in scripts.items():
        if _sum(text.encode()) != expected[name]:
            raise LuaError(f"{name} of {package} differs from bullmq {VERSION}: install exactly that version.")
    INSTALLED.mkdir(exist_ok=True)
    for stale in INSTALLED.glob("*.lua"):
        if stale.stem not in scripts:
            stale.unlink()
    for name, text in scripts.items():
        target = INSTALLED / f"{name}.lua"
        if not target.exists() or target.read_bytes() != text.encode():
            fresh = target.with_suffix(".new")
            fresh.write_bytes(text.encode())
            fresh.replace(target)
    if (terms := package / "LICENSE").exists():
        (INSTALLED / terms.name).write_bytes(terms.read_bytes())  # the scripts may only be passed on with it
    return INSTALLED


@cache
def load(name: str) -> Script:
    """The script `name` (`"addLog"` or `"addLog-2"`). Raises LuaError when it is not installed or was changed."""
    full = name if name in manifest() else next((n for n in manifest() if n.rpartition("-")[0] == name), None)
    if full is None:
        raise LuaError(f"BullMQ {VERSION} has no script named {name!r}.")
    file = INSTALLED / f"{full}.lua"
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        raise LuaError(f"{file} is missing: run `python -m bullmq_ref.lua` once.") from None
    if _sum(text) != manifest()[full]:
        raise LuaError(f"{file} is not the text of bullmq {VERSION}: run `python -m bullmq_ref.lua` again.")
    base, _, keys = full.rpartition("-")
    return Script(base, int(keys), text, hashlib.sha1(text, usedforsecurity=False).hexdigest())


def _sum(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def main(arguments: list[str]) -> int:
    """The command: install from the given package folder; exit code 1 and one line on stderr when that fails."""
    try:
        folder = install(Path(arguments[0]) if arguments else DEFAULT_PACKAGE)
    except LuaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{len(manifest())} scripts of bullmq {VERSION} in {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
