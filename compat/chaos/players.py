"""Players: the processes of workers and adders, and the journals they leave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from compat.chaos.account import Added, Run
from compat.chaos.plan import FAILING
from compat.drivers.places import ROOT, node_binary
from compat.drivers.process import Process
from compat.servers import ServerError

Side = Literal["node", "ref"]
Role = Literal["worker", "adder"]

PREFIX: Final = "{chaos}"
QUEUE: Final = "jobs"
#: Short, so that jobs of a dead worker are soon run again; the stall limit is not what this is about.
WORKER: Final = {
    "concurrency": 10,
    "lock_duration": 3_000,
    "stalled_interval": 1_500,
    "max_stalled_count": 1_000,
    "drain_delay": 1,
}
LONGEST_MS: Final = 40  # a job takes less
LANES: Final = 25  # adds under way at once
PATIENCE: Final = 30.0  # s for a player to start, or to end


@dataclass(frozen=True)
class Player:
    """A process; its name is `node-1`, `ref-2`, …"""

    name: str
    role: Role
    process: Process
    journal: Path

    def entries(self) -> Iterator[list[Any]]:
        """What it wrote down. A line that its end cut off is none."""
        for line in self.journal.read_text(encoding="utf-8").splitlines() if self.journal.exists() else ():
            with contextlib.suppress(ValueError):
                yield json.loads(line)

    @property
    def done(self) -> bool:
        """Whether an adder has added everything."""
        with self.journal.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 16))
            return file.read().endswith(b'["done"]\n')

    def runs(self) -> Iterator[Run]:
        """What a worker ran."""
        begun: dict[str, float] = {}
        for word, *rest in self.entries():
            if word == "begin":
                begun[rest[0]] = rest[1]
            elif word == "end":
                yield Run(self.name, rest[0], begun.pop(rest[0]), rest[1])
        for job, since in begun.items():
            yield Run(self.name, job, since, None)

    def adds(self) -> Iterator[Added]:
        """What an adder added."""
        for word, *rest in self.entries():
            if word == "added":
                yield Added(self.name, *rest)

    async def ready(self) -> None:
        """Wait until it is. Raises `ServerError` with what it said, if it is not in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self.process.alive:
                    if self.journal.exists() and self.journal.stat().st_size:
                        return
                    await asyncio.sleep(0.02)
        said = "\n".join(self.process.stderr[-5:])
        raise ServerError(
            f"the {self.role} {self.name} is not ready; it said:\n{said}",
            expected=f"it within {PATIENCE:g} s",
            remedy="see whether the machine is overloaded, and `bullmq-compat doctor`",
        )

    async def kill(self) -> None:
        """SIGKILL."""
        await self.process.kill()

    async def end(self) -> None:
        """Let it finish what it has in hand; kill it if it does not."""
        self.process.hang_up()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.process.wait()
        await self.process.terminate()


async def start(side: Side, role: Role, name: str, folder: Path, told: dict[str, Any]) -> Player:
    """Start a player. It is not ready yet."""
    journal = folder / f"{role}-{name}.jsonl"
    told = {
        "role": role,
        "journal": str(journal),
        "prefix": PREFIX,
        "queue": QUEUE,
        "worker": WORKER,
        "failing": FAILING,
        "longest": LONGEST_MS,
        "lanes": LANES,
        **told,
    }
    programs = {
        "node": (node_binary(), str(ROOT / "node" / "chaos.mjs")),
        "ref": (sys.executable, "-m", "compat.chaos.programs.ref"),
    }
    return Player(name, role, await Process.spawn((*programs[side], json.dumps(told))), journal)
