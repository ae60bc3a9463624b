"""The peers: who is measured, and the command of each one's program."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from compat.drivers.errors import ImplementationError
from compat.drivers.implementations import node_package
from compat.drivers.places import ROOT, node_binary
from compat.ports.environments import environment

PROGRAMS = Path(__file__).resolve().parent / "programs"
DEFAULT = ("ref", "node@5.62.0", "pypi-bullmq@2.17.0", "pypi-bullmq@3.4.4", "saq@0.26.4", "floor")
_ALL = frozenset({"add", "bulk", "work", "pickup", "renew", "sweep"})


@dataclass(frozen=True)
class Peer:
    """A program that answers questions. `kinds`: what it can be asked. `share` of the jobs is enough where it is slow
    and as fast at the first job as at the last. `warms`: it is measured over many jobs too. `seeds`: only jobs that it
    made itself are jobs to it."""

    name: str
    command: tuple[str, ...]
    kinds: frozenset[str] = _ALL
    share: float = 1.0
    warms: bool = False
    seeds: bool = False

    def can(self, kind: str) -> bool:
        return kind in self.kinds


def peer(name: str) -> Peer:
    """The peer of that name; its environment is made if there is none (seconds, and PyPI must be within reach).

    Raises `ImplementationError` with what was asked for, what there is and what to do.
    """
    base, _, version = name.partition("@")
    if base == "ref" and not version:
        return Peer(name, (sys.executable, "-m", "compat.bench.programs.ref"), warms=True)
    if base == "floor" and not version:
        return Peer(name, (sys.executable, "-m", "compat.bench.programs.floor"), _ALL - {"pickup"})
    if base == "node" and version:
        return Peer(name, (node_binary(), str(ROOT / "node" / "bench.mjs"), node_package(version)), warms=True)
    if base == "pypi-bullmq" and version:
        python = environment("bullmq", version)
        share = 0.2 if version.startswith("2.") else 0.5
        return Peer(name, (str(python), "-I", str(PROGRAMS / "pypi_bullmq.py")), share=share)
    if base == "saq" and version:
        # saq leaves to its user which client it finds, and imports one thing that it does not ask for
        python = environment("saq", version, besides=("redis[hiredis]<8", "typing-extensions"))
        kinds = frozenset({"add", "work", "pickup"})
        return Peer(name, (str(python), "-I", str(PROGRAMS / "saq_queue.py")), kinds, share=0.4, seeds=True)
    raise ImplementationError(f"{name!r} is no peer; there are {', '.join(DEFAULT)}, and other versions of those")
