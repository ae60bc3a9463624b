"""Environments of their own for ports from PyPI: made when first asked for, kept under `.state/ports`."""

from __future__ import annotations

import fcntl
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from compat.drivers.errors import ImplementationError
from compat.drivers.places import ROOT

HERE = Path(__file__).resolve().parent
STATE = ROOT / ".state" / "ports"
READY = "ready"  # the file that an environment's last step writes
_VERSION = re.compile(r"\d+(\.\d+)*((a|b|rc|\.post|\.dev)\d+)*")


@dataclass(frozen=True)
class Port:
    """A port on PyPI: its package, and the driver for it beside this file."""

    package: str
    driver: str


PORTS = {"pypi-bullmq": Port("bullmq", "pypi_bullmq.py")}


def command(name: str, state: Path = STATE) -> list[str]:
    """The command that starts the driver of `pypi-bullmq@VERSION`, whose environment is made if there is none.

    Blocks while packages are installed (seconds), and while another process installs the same. Raises
    `ImplementationError` with what was tried and what to do.
    """
    base, _, version = name.partition("@")
    port = PORTS.get(base)
    if port is None or not _VERSION.fullmatch(version):
        known = ", ".join(f"{name}@VERSION" for name in PORTS)
        raise ImplementationError(f"{name!r} names no port on PyPI; there is {known}, with a version like 2.17.0")
    python = environment(port.package, version, state)
    return [str(python), "-I", str(HERE / port.driver)]


def environment(package: str, version: str, state: Path = STATE, *, besides: tuple[str, ...] = ()) -> Path:
    """The Python of the environment that has `package` in `version`, made if there is none.

    `besides` are requirements that the package leaves to its user. Blocks and raises as `command`.
    """
    if not _VERSION.fullmatch(version):
        raise ImplementationError(f"{version!r} is no version of {package}; one looks like 2.17.0")
    home = state / f"{package}-{version}"
    python = home / "bin" / "python"
    stamp = (
        f"{package} {version} on {platform.python_implementation()} {platform.python_version()}, {sys.base_prefix}\n"
    )
    with alone(home.with_name(f"{home.name}.lock")):
        ready = home / READY
        if python.exists() and ready.exists() and ready.read_text() == stamp:
            return python
        shutil.rmtree(home, ignore_errors=True)
        _make(home, python, f"{package}=={version}", besides)
        ready.write_text(stamp)
    return python


def _make(home: Path, python: Path, requirement: str, besides: tuple[str, ...]) -> None:
    uv = _uv()
    if uv is None:
        _run([sys.executable, "-m", "venv", str(home)], requirement)
        _run([str(python), "-m", "pip", "install", "--no-input", requirement, *besides], requirement)
        return
    _run([uv, "venv", "--python", sys.executable, str(home)], requirement)
    install = [uv, "pip", "install", "--python", str(python), requirement, *besides]
    if attempt([*install, "--offline"]).returncode != 0:  # its cache may suffice: then no network is asked
        _run(install, requirement)


def _uv() -> str | None:
    """The uv of this environment, else the one on PATH."""
    own = Path(sys.prefix) / "bin" / "uv"
    return str(own) if own.exists() else shutil.which("uv")


def _run(words: list[str], requirement: str) -> None:
    done = attempt(words)
    if done.returncode != 0:
        said = "\n".join(f"  {line}" for line in (done.stderr or done.stdout).strip().splitlines()[-8:])
        raise ImplementationError(
            f"no environment could be made for {requirement}; is that version on PyPI, and is PyPI within reach?\n"
            f"`{Path(words[0]).name} {' '.join(words[1:])}` ended with exit code {done.returncode}:\n{said}"
        )


def attempt(words: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever its exit code."""
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold `lock`, which the system gives back even if this process is killed."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    except OSError as error:
        raise ImplementationError(
            f"an environment for a port is kept in {lock.parent}, which cannot be written: {error.strerror}"
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
