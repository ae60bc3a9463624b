"""Implementations by name: `--impl` and `--oracle` become the command that starts a driver."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

from compat.drivers import places

ROOT = places.root()
NODE_DRIVER = ROOT / "node" / "driver.mjs"
NODE_TARGET = "5.62.0"  # the version that the oracle speaks


class ImplementationError(Exception):
    """An implementation that cannot be had; the text names it and says what to do."""


def node_binary() -> str:
    """The node of the project's own environment, else the one on PATH."""
    own = ROOT / "node" / "env" / "bin" / "node"
    if own.exists():
        return str(own)
    found = shutil.which(os.environ.get("BULLMQ_COMPAT_NODE", "node"))
    if found is None:
        raise ImplementationError(f"no `node` was found: {places.NODE}")
    return found


def node_aliases() -> dict[str, str]:
    """BullMQ versions that are installed for Node, with the npm alias of each."""
    folder = ROOT / "node" / "node_modules"
    aliases = {"bullmq": NODE_TARGET} | {p.name: p.name.removeprefix("bullmq-") for p in folder.glob("bullmq-*")}
    return {version: alias for alias, version in aliases.items() if (folder / alias / "package.json").exists()}


def command_for(name: str) -> tuple[str, ...]:
    """The command of `ref`, `node@VERSION`, `pypi-bullmq@VERSION`, `cmd:COMMAND`, or `attach:HOST:PORT` itself.

    Raises `ImplementationError`.
    """
    kind, _, rest = name.partition(":")
    if kind == "attach" and rest.strip():
        return (name,)
    if kind == "cmd" and rest.strip():
        return tuple(shlex.split(rest))
    base, _, version = name.partition("@")
    if base == "ref" and not version:
        return (sys.executable, "-m", "compat.ports.reference")
    if base == "node":
        aliases = node_aliases()
        wanted = version or NODE_TARGET
        if wanted not in aliases:
            have = ", ".join(f"node@{v}" for v in sorted(aliases)) or "none"
            raise ImplementationError(
                f"bullmq {wanted} is not installed for Node (installed: {have}); run `{places.SETUP}`"
            )
        return (node_binary(), str(NODE_DRIVER), "--bullmq", aliases[wanted])
    if base == "pypi-bullmq" and version:
        from compat.ports import environments  # makes an environment, which few runs need

        return tuple(environments.command(name))
    raise ImplementationError(
        f"there is no implementation {name!r}; there are ref, node@{NODE_TARGET}, pypi-bullmq@VERSION, "
        "cmd:COMMAND for any driver of your own, and attach:HOST:PORT for one that runs already"
    )
