"""What the runner asks a peer's program, and what it answers: one JSON line each. Nothing but the standard library."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

#: What every job carries: 93 bytes as JSON.
PAYLOAD = {"to": "someone@example.org", "subject": "Welcome aboard", "template": "welcome", "locale": "en-GB"}
NAME = "welcome"
TOKEN = "bench"  # of the locks of jobs that are seeded as active


@dataclass(frozen=True)
class Question:
    """One measurement. `kind`: add, bulk, work, pickup, renew, sweep or seed.

    `jobs` is the number of operations per queue in `queues`. `in_flight` adds are under way at once; `workers` of
    `concurrency` work on each queue in turn; `active`: seeded jobs are taken, with locks of `TOKEN`. `bare`:
    nobody logs and nobody counts, instead of a logger and a monitor that do nothing.
    """

    kind: str
    jobs: int
    host: str
    port: int
    prefix: str
    queues: list[str]
    in_flight: int = 1
    concurrency: int = 1
    workers: int = 1
    active: bool = False
    bare: bool = False
    payload: dict[str, Any] = field(default_factory=lambda: PAYLOAD)
    name: str = NAME
    token: str = TOKEN


@dataclass(frozen=True)
class Answer:
    """One measurement's result. Times in s; `cpu` is the client's in the timed window, `cpu_whole` in its whole life.
    Memory in bytes: its peak, and what the window added. `tasks`: how many there were around 10 % and 90 %, where
    the peer has any. `latencies`: one for each operation, in ms, where latency is what was asked for.
    """

    ops: int
    seconds: float
    cpu: float
    cpu_whole: float
    rss_peak: int
    rss_growth: int
    tasks: tuple[int, int] | None = None
    latencies: tuple[float, ...] = ()


def question() -> Question:
    """The one line on stdin."""
    return Question(**json.loads(sys.stdin.readline()))


def answer(value: Answer) -> None:
    """The one line on stdout."""
    sys.stdout.write(json.dumps(asdict(value)) + "\n")
    sys.stdout.flush()


def answered(line: str) -> Answer:
    """An answer from its line. Raises ValueError for anything else."""
    try:
        fields = json.loads(line)
        tasks = fields.pop("tasks", None)
        latencies = tuple(fields.pop("latencies", ()))
        return Answer(**fields, tasks=None if tasks is None else (tasks[0], tasks[1]), latencies=latencies)
    except (AttributeError, IndexError, TypeError) as error:
        raise ValueError(f"{line!r} is no answer: {error}") from None


class Window:
    """The timed window: `with window:` around what is measured. Entered again, it goes on."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0
        self.rss_growth = 0

    def __enter__(self) -> None:
        self._rss, self._cpu, self._start = memory("VmRSS"), cpu(), time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._start
        self.cpu += cpu() - self._cpu
        self.rss_growth += memory("VmRSS") - self._rss

    def answer(self, ops: int, *, tasks: tuple[int, int] | None = None, latencies: tuple[float, ...] = ()) -> Answer:
        return Answer(ops, self.seconds, self.cpu, cpu(), memory("VmHWM"), self.rss_growth, tasks, latencies)


class Tally:
    """Counts operations up to `wanted`; looks how many tasks there are around 10 % and 90 % of them."""

    def __init__(self, wanted: int) -> None:
        self._wanted, self._count = wanted, 0
        self._most = {10: 0, 90: 0}
        self._looks = {wanted * (mark + offset) // 100: mark for mark in self._most for offset in range(-5, 6)}
        self.done = asyncio.Event()

    def one(self, *_: object) -> None:
        self._count += 1
        if mark := self._looks.get(self._count):
            self._most[mark] = max(self._most[mark], len(asyncio.all_tasks()))
        if self._count == self._wanted:
            self.done.set()

    @property
    def tasks(self) -> tuple[int, int]:
        """The most that were seen from 5 % to 15 %, and from 85 % to 95 %: single looks differ by chance."""
        return self._most[10], self._most[90]


def cpu() -> float:
    """s of CPU that this process has used, in user and system mode."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory(name: str) -> int:
    """Bytes: VmRSS now, or VmHWM at most. `ru_maxrss` alone would not do: a process inherits it from its parent."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
