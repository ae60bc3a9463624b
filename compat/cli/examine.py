"""Examinations: each looks at one thing that a run needs, and says what it saw and how to mend it."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib import metadata

from compat.drivers import DriverError, ImplementationError, Pool, command_for
from compat.drivers.implementations import NODE_TARGET
from compat.drivers.places import NODE, ROOT, SETUP, node_binary
from compat.model.scenario import TopologyName
from compat.servers import ServerError, embedded, find_binary

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18  # for BullMQ 5
PACKAGES = ("redis", "hiredis", "msgpack", "msgspec", "deepdiff", "pyyaml", "click", "rich")
LIMIT = 10.0  # s for a command to answer that may be missing
PATIENCE = 60.0  # s for one that is required: on a busy machine it is only slow


@dataclass(frozen=True)
class Found:
    """What was seen, and how to get it where it is missing; what is not `required` may be."""

    name: str
    ok: bool
    seen: str
    remedy: str = ""
    required: bool = True


async def examine() -> AsyncIterator[Found]:
    """Everything, in the order in which it is needed: an earlier fault explains later ones."""
    yield python()
    yield packages()
    yield node()
    yield npm()
    yield npm_package("bullmq", NODE_TARGET)
    yield npm_package("ioredis", None)
    yield lua()
    yield server_binary()
    yield await server("single")
    yield await server("cluster")
    yield await driver("oracle", f"node@{NODE_TARGET}")
    yield await driver("reference", "ref")
    yield other_versions()
    yield tool("docker", ("docker", "version", "--format", "{{.Server.Version}}"), "--server container[:IMAGE]")
    yield tool("uv", ("uv", "--version"), "a quicker set-up")


def python() -> Found:
    version = platform.python_version()
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Found("python", sys.version_info >= OLDEST_PYTHON, version, f"install Python {wanted} or later")


def packages() -> Found:
    versions = {name: _version(name) for name in PACKAGES}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return Found("packages", False, f"not installed: {', '.join(missing)}", f"{SETUP}, or pip install '.[compat]'")
    return Found("packages", True, ", ".join(f"{name} {version}" for name, version in versions.items()))


def node() -> Found:
    try:
        version = _said((node_binary(), "--version"), PATIENCE)
    except ImplementationError as error:
        return Found("node", False, str(error), NODE)
    major = version.removeprefix("v").partition(".")[0]
    new_enough = major.isdigit() and int(major) >= OLDEST_NODE
    return Found("node", new_enough, version or "does not answer", f"install Node {OLDEST_NODE} or later")


def npm() -> Found:
    version = _said(("npm", "--version"))
    return Found("npm", bool(version), version or "not found", "only to set up", required=False)


def npm_package(name: str, wanted: str | None) -> Found:
    file = ROOT / "node" / "node_modules" / name / "package.json"
    try:
        version = str(json.loads(file.read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return Found(name, False, f"not installed for Node (looked for {file})", SETUP)
    wrong = wanted is not None and version != wanted
    return Found(name, not wrong, version + (f", but the oracle is {wanted}" if wrong else ""), SETUP)


def other_versions() -> Found:
    from compat.ports.versions import versions

    seen = ", ".join(f"node@{version}" for version in versions()) or "none"
    return Found("other BullMQ", True, seen, "installed when --impl or --oracle asks for it", required=False)


def lua() -> Found:
    """Asked in a process of its own: the harness does not know the library."""
    code = "from bullmq_ref import lua; print(len([lua.load(n) for n in lua.manifest()]), 'scripts of', lua.VERSION)"
    try:
        done = _ran((sys.executable, "-c", code), PATIENCE)
    except OSError as error:
        return Found("Lua scripts", False, str(error), SETUP)
    except subprocess.TimeoutExpired:
        seen = f"{sys.executable} did not load them within {PATIENCE:g} s"
        return Found("Lua scripts", False, seen, "see whether the machine is overloaded")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["they cannot be loaded"]
        return Found("Lua scripts", False, lines[-1].partition(": ")[2] or lines[-1], "python -m bullmq_ref.lua")
    return Found("Lua scripts", True, f"{done.stdout.strip()}, all sums are right")


def server_binary() -> Found:
    try:
        binary = find_binary()
    except ServerError as error:
        return Found("server binary", False, error.seen, error.remedy)
    return Found("server binary", True, f"{binary.flavour} {binary.version} at {binary.path}")


async def server(topology: TopologyName) -> Found:
    """A real start, and a command to every node."""
    name = "one Redis" if topology == "single" else "Cluster"
    clock = time.monotonic()
    try:
        async with embedded(topology) as running:
            started = time.monotonic() - clock
            for place in running.nodes:
                await running.client(place).ping()
            return Found(name, True, f"{running.title}: up in {started:.2f} s, answers")
    except (ServerError, OSError) as error:
        seen, remedy = (error.seen, error.remedy) if isinstance(error, ServerError) else (str(error), "see above")
        return Found(name, False, seen, remedy)


async def driver(name: str, implementation: str) -> Found:
    """A real start, and the handshake."""
    pool = Pool(bullmq=NODE_TARGET)
    clock = time.monotonic()
    try:
        welcome = (await pool.take(command_for(implementation))).welcome
        seen = f"{welcome.name} {welcome.version} ({welcome.language}): ready in {time.monotonic() - clock:.2f} s"
        return Found(f"{name} driver", True, seen)
    except ImplementationError as error:
        return Found(f"{name} driver", False, str(error), SETUP)
    except DriverError as error:
        said = next((line for line in error.stderr if "Error" in line), error.stderr[-1] if error.stderr else "")
        told = f"; it wrote: {said}" if said else ""
        return Found(f"{name} driver", False, f"{error.text}{told}", error.hint or "see what is missing above")
    finally:
        await pool.close()


def tool(name: str, words: Sequence[str], use: str) -> Found:
    said = _said(words)
    missing = "does not answer" if shutil.which(words[0]) else "not found"
    return Found(name, bool(said), said or missing, f"for {use}", required=False)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _said(words: Sequence[str], limit: float = LIMIT) -> str:
    """The first line a command says; nothing where it fails."""
    try:
        done = _ran(words, limit)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().partition("\n")[0] if done.returncode == 0 else ""


def _ran(words: Sequence[str], limit: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, capture_output=True, text=True, errors="replace", timeout=limit, stdin=subprocess.DEVNULL
    )
