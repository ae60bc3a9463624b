"""Implementations by name: `--impl` and `--oracle` become the command that starts a driver."""

from __future__ import annotations

import shlex
import sys

from compat.drivers.errors import ImplementationError
from compat.drivers.places import ROOT, SETUP, node_binary

NODE_DRIVER = ROOT / "node" / "driver.mjs"
NODE_TARGET = "5.62.0"  # the version that the oracle speaks


def node_package(version: str) -> str:
    """Where a Node driver finds BullMQ in a version: the name of the package installed beside it, or the folder of one
    that is made if there is none (seconds, and npm's registry must be within reach). Raises `ImplementationError`."""
    if version != NODE_TARGET:
        from compat.ports import versions  # installs packages, which few runs need

        return str(versions.package(version))
    if not (ROOT / "node" / "node_modules" / "bullmq" / "package.json").exists():
        raise ImplementationError(f"bullmq {NODE_TARGET} is not installed for Node; run `{SETUP}`")
    return "bullmq"


def command_for(name: str) -> tuple[str, ...]:
    """The command of `ref`, `node@VERSION`, `pypi-bullmq@VERSION`, `cmd:COMMAND`, or `attach:HOST:PORT` itself.

    Raises `ImplementationError`.
    """
    kind, _, rest = name.partition(":")
    if kind == "attach" and rest.strip():
        return (name,)
    if kind == "cmd" and rest.strip():
        try:
            return tuple(shlex.split(rest))
        except ValueError as error:
            raise ImplementationError(f"`{rest}` is no command line: {error}; quote it as for a shell") from None
    base, _, version = name.partition("@")
    if base == "ref" and not version:
        return (sys.executable, "-P", "-m", "compat.ports.reference")  # -P: whatever lies in the caller's folder
    if base == "node":
        return (node_binary(), str(NODE_DRIVER), "--bullmq", node_package(version or NODE_TARGET))
    if base == "pypi-bullmq" and version:
        from compat.ports import environments  # makes an environment, which few runs need

        return tuple(environments.command(name))
    raise ImplementationError(
        f"there is no implementation {name!r}; there are ref, node@VERSION, pypi-bullmq@VERSION, "
        "cmd:COMMAND for any driver of your own, and attach:HOST:PORT for one that runs already"
    )
