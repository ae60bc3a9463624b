"""Where the harness keeps what is no Python: in the checkout, or, once installed, in a folder of the user."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from compat.drivers.errors import ImplementationError

HOME = "BULLMQ_COMPAT_HOME"  # names that folder

_PACKAGE = Path(__file__).resolve().parents[1]
#: What came with the installed package: the sources of the Node driver.
CAME_ALONG = _PACKAGE / "_node"


def in_checkout(package: Path = _PACKAGE) -> bool:
    """Whether the package lies in a checkout, with the Node driver beside it."""
    return (package.parent / "node" / "driver.mjs").is_file()


def root(package: Path = _PACKAGE, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that `node/` and `.state/` are in: BULLMQ_COMPAT_HOME, the checkout, or
    `~/.local/share/bullmq-compat/VERSION` (under XDG_DATA_HOME, if set)."""
    if named := environ.get(HOME):
        return Path(named).expanduser().resolve()
    if in_checkout(package):
        return package.parent
    data = Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "bullmq-compat" / metadata.version("bullmq-compat")


#: The command that puts there what is missing, and how to come by a Node.
SETUP = "python3 ci setup" if in_checkout() else "bullmq-compat setup"
NODE = f"`{SETUP}` brings one" if in_checkout() else "put Node 18 or later, with npm, on PATH"

ROOT = root()


def node_binary() -> str:
    """The node of the project's own environment, else the one on PATH. Raises `ImplementationError`."""
    own = ROOT / "node" / "env" / "bin" / "node"
    if own.exists():
        return str(own)
    found = shutil.which(os.environ.get("BULLMQ_COMPAT_NODE", "node"))
    if found is None:
        raise ImplementationError(f"no `node` was found: {NODE}")
    return found
