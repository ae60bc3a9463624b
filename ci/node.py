"""Which Node the project runs on: the one on PATH where it will do, else one from PyPI, or the version asked for."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ci.process import Shell

OLDEST = 18  # the oldest Node that BullMQ 5 runs on
WANTED = "BULLMQ_COMPAT_NODE_VERSION"

Source = Literal["path", "pypi", "nodeenv"]


@dataclass(frozen=True)
class Node:
    """A Node that was found: its binary (no shim), version, the words that start its npm, and where it came from."""

    binary: str
    version: str
    npm: tuple[str, ...]
    source: Source
    wanted: str = ""  # the version that was asked for, or nothing

    @property
    def mark(self) -> str:
        """Tells whether the binary is still the same one, without running it; empty when it is gone."""
        try:
            status = Path(self.binary).stat()
        except OSError:
            return ""
        return f"{self.binary} {status.st_size} {status.st_mtime_ns}"


def major(version: str) -> int:
    """The first number of `v20.20.2`; 0 for what is no version."""
    found = re.match(r"v?(\d+)\.", version)
    return int(found[1]) if found else 0


def source(wanted: str, on_path: Node | None) -> Source:
    """Where Node is to come from. A version that is asked for comes from nodeenv, whatever there is on PATH."""
    if wanted:
        return "nodeenv"
    return "path" if on_path is not None and major(on_path.version) >= OLDEST and on_path.npm else "pypi"


def probe(
    binary: Path | str, npm: tuple[str, ...], origin: Source, shell: Shell, cwd: Path, wanted: str = ""
) -> Node | None:
    """Asks a node for its real path and version; None where it does not answer."""
    code, output = shell.attempt([binary, "-p", "JSON.stringify([process.execPath, process.version])"], cwd)
    try:
        path, version = json.loads(output) if code == 0 else (None, None)
    except (ValueError, TypeError):
        return None
    return Node(path, version, npm, origin, wanted) if isinstance(path, str) and isinstance(version, str) else None


def on_path(environ: Mapping[str, str], shell: Shell, cwd: Path) -> Node | None:
    """The Node on PATH, with the npm on PATH if there is one."""
    path = environ.get("PATH", os.defpath)
    binary, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    return probe(binary, (npm,) if npm else (), "path", shell, cwd) if binary else None


def remember(file: Path, node: Node) -> None:
    """Writes down which Node this checkout uses."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(node) | {"mark": node.mark}), encoding="utf-8")


def remembered(file: Path, wanted: str) -> Node | None:
    """The Node used last time, if it is still the same binary and still what is wanted.

    So a shell with another PATH does not make the environment change to and fro.
    """
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        mark = facts.pop("mark")
        node = Node(**facts | {"npm": tuple(facts["npm"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return node if node.wanted == wanted and mark and node.mark == mark else None
