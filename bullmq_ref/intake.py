"""A worker's intake: takes jobs off the queue, and waits at the marker when there are none."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING, Any

from bullmq_ref import clock
from bullmq_ref.errors import BullMQError, ConnectionLost
from bullmq_ref.iterations import comes_again, follow
from bullmq_ref.job import Job
from bullmq_ref.jsjson import number
from bullmq_ref.scripts import working
from bullmq_ref.scripts.working import Fetched

if TYPE_CHECKING:
    from bullmq_ref.worker import Worker

_LONGEST_BLOCK = 10.0  # s that a worker blocks at most when it knows of a delayed job
_LONGEST_LIMIT = 30_000  # ms that a limited worker sleeps at most, so that delayed jobs are promoted
_AFTER_LOSS = 0.1  # s


class Intake:
    """Fetches for `worker`, and remembers what the scripts told of limits and delays.

    `drained`: the last fetch found nothing. `waiting`: a fetch is blocked on the marker. Times in ms since the epoch.
    """

    def __init__(self, worker: Worker[Any, Any]) -> None:
        self._worker = worker
        self.drained = False
        self._nobody_waits = asyncio.Event()
        self._nobody_waits.set()
        self.block_until = 0.0
        self._limit_until = 0.0
        self._shortest_block = 0.0  # s; not known yet
        self._whole_seconds = False

    # --- taking ------------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Whether a fetch waits at the marker."""
        return not self._nobody_waits.is_set()

    async def wait_for_the_other(self) -> None:
        """Return when no fetch waits at the marker: one by hand may."""
        await self._nobody_waits.wait()

    def begin(self, block: bool) -> bool:
        """Whether the fetch that starts now waits at the marker; one at a time does."""
        waits = self.drained and block and not self._limit_until and not self.waiting
        if waits:
            self._nobody_waits.clear()
        return waits

    async def fetch(self, token: str, waits: bool) -> Job[Any, Any] | None:
        """The next job, or None when there is none or none may be had; `waits` is what `begin` said."""
        if not self._worker.takes_jobs:
            if waits:
                self._nobody_waits.set()
            return None
        if not waits:
            return None if self.is_limited() else await self._move_to_active(token)
        try:
            self.block_until = await self._wait_for_marker(self.block_until)
            if self.block_until <= 0 or self.block_until - clock.now() < 1:
                return await self._move_to_active(token)
        finally:
            self._nobody_waits.set()
        return None

    async def take(self, fetched: Fetched, token: str) -> Job[Any, Any] | None:
        """The job that a script brought along, if any; what the script told of limits and delays is remembered."""
        self._note_delays(fetched.limited_for, fetched.delayed_until)
        if fetched.fields is None:
            if not self.drained:
                self.drained = True
                self._worker.emit("drained")
            return None
        self.drained = False
        job: Job[Any, Any] = Job.from_fields(self._worker, fetched.fields, fetched.id)
        job.token = token
        return job if not comes_again(job) or await follow(self._worker, job) else None

    async def _move_to_active(self, token: str) -> Job[Any, Any] | None:
        worker = self._worker
        return await self.take(await working.move_to_active(worker.wire, token, worker.terms), token)

    # --- limits ------------------------------------------------------------------------------------------------------

    def limit(self, left: float) -> None:
        """The queue is limited for `left` ms from now; 0 ends a limit."""
        self._limit_until = clock.now() + left if left > 0 else 0

    def is_limited(self) -> bool:
        return self._limit_until > clock.now()

    async def wait_for_limit(self) -> None:
        """Return when the limit, if there is one, has passed; after 30 s at the latest."""
        left = self._limit_until - clock.now()
        if left > 0:
            await self._worker.sleep(min(left, _LONGEST_LIMIT) / 1000)
            self._limit_until = min(self._limit_until, clock.now())  # ask again, even if the clock was set back

    def _note_delays(self, limited_for: float = 0, delayed_until: float = 0) -> None:
        self.limit(limited_for)
        self.block_until = max(delayed_until, 0)

    # --- waiting -----------------------------------------------------------------------------------------------------

    async def _wait_for_marker(self, block_until: float) -> float:
        """Block until there may be a job: 0, or the ms when a delayed one is due. Infinity: nothing is known."""
        worker = self._worker
        if not worker.takes_jobs or self.is_limited():
            return math.inf
        timeout = self._block_timeout(block_until)
        if timeout <= 0:
            return 0
        if self._whole_seconds:
            timeout = math.ceil(timeout)
        self._note_delays()
        try:
            reply = await worker.blocking.blocking(timeout, "BZPOPMIN", worker.keys.marker, number(timeout))
        except ConnectionLost:
            if not worker.closing:
                await worker.sleep(_AFTER_LOSS)
            return 0 if worker.takes_jobs else math.inf  # the marker may be gone with the reply: look at once
        except BullMQError as error:
            worker.tell_error(error)
            await worker.sleep(_AFTER_LOSS)
            return math.inf
        if not reply:
            return 0
        due = int(float(reply[2]))
        return block_until if block_until and due > block_until else due

    def _block_timeout(self, block_until: float) -> float:
        """Seconds."""
        if not block_until:
            return max(self._worker.options.drain_delay, self._shortest_block)
        delay = (block_until - clock.now()) / 1000
        if delay <= 0:
            return delay
        return min(max(delay, self._shortest_block), _LONGEST_BLOCK)

    async def look_at_server(self) -> None:
        """Learn, once, for how long it blocks: Redis before 7.0.8 takes 1 ms for "for ever", before 6 no fractions."""
        if self._shortest_block:
            return
        self._shortest_block = 0.002
        with contextlib.suppress(BullMQError):
            info = str(await self._worker.client.command("INFO", "server"))
            version = next((line.partition(":")[2] for line in info.splitlines() if line.startswith("redis_v")), "0")
            parts = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
            self._shortest_block = 0.001 if parts >= (7, 0, 8) else 0.002
            self._whole_seconds = (0,) < parts < (6,)
