"""A job: what can be done with it, and asked of it, from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bullmq_ref.errors import BullMQError, ConnectionClosed, JobFailed, JobLocked, JobNotExist, JobWaitTimeout
from bullmq_ref.job_attempt import Attempt
from bullmq_ref.job_family import Family
from bullmq_ref.job_record import Payload, Result, lenient
from bullmq_ref.scripts import managing, reading

if TYPE_CHECKING:
    from bullmq_ref.queue_events import QueueEvents

__all__ = ["Job", "Payload", "Result"]


class Job(Attempt[Payload, Result], Family[Payload, Result]):
    """A job: its record, what its processor may do with it, its family, and what a manager does."""

    async def remove(self, *, remove_children: bool = True) -> None:
        """Remove it and, by default, its children. Raises JobLocked, JobBelongsToJobScheduler."""
        if not await managing.remove_job(self._owner.wire, self.id, children=remove_children):
            raise JobLocked(self.id)
        self._owner.emit("removed", self)

    async def retry(self, state: str = "failed") -> None:
        """Back to wait from `failed` or `completed`. Raises JobNotExist, JobNotInState."""
        self.failed_reason = self.finished_on = self.processed_on = self.returnvalue = None
        lifo = bool(self.options.get("lifo"))
        await managing.reprocess_job(self._owner.wire, self.id, state, lifo=lifo)

    async def promote(self) -> None:
        """From delayed to wait now. Raises JobNotInState."""
        await managing.promote(self._owner.wire, self.id)
        self.delay = 0

    async def change_delay(self, delay: float) -> None:
        """Due `delay` ms from now. Raises JobNotExist, JobNotInState."""
        await managing.change_delay(self._owner.wire, self.id, delay)
        self.delay = delay

    async def change_priority(self, priority: float = 0, *, lifo: bool = False) -> None:
        """Another priority; 0 for none. Raises JobNotExist."""
        await managing.change_priority(self._owner.wire, self.id, priority, lifo=lifo)
        self.priority = priority

    # --- questions ---------------------------------------------------------------------------------------------------

    async def get_state(self) -> str:
        return await reading.get_state(self._owner.wire, self.id)

    async def is_completed(self) -> bool:
        return await self._in_set(self._owner.keys.completed)

    async def is_failed(self) -> bool:
        return await self._in_set(self._owner.keys.failed)

    async def is_delayed(self) -> bool:
        return await self._in_set(self._owner.keys.delayed)

    async def is_waiting_children(self) -> bool:
        return await self._in_set(self._owner.keys.waiting_children)

    async def is_active(self) -> bool:
        return await self._in_list(self._owner.keys.active)

    async def is_waiting(self) -> bool:
        """In wait or paused; a prioritized job is not "waiting" here, as in Node."""
        keys = self._owner.keys
        return await self._in_list(keys.wait) or await self._in_list(keys.paused)

    async def wait_until_finished(self, events: QueueEvents, timeout_ms: int | None = None) -> Result | None:
        """What it returned, as soon as `events`, a reader of its queue, tells. Raises JobFailed with its reason,
        BullMQError when its worker closes, JobNotExist, JobWaitTimeout past `timeout_ms` (None: never)."""
        finished: asyncio.Future[Result | None] = asyncio.get_running_loop().create_future()

        def completed(args: Mapping[str, Any], _: str) -> None:
            if not finished.done():
                finished.set_result(args.get("returnvalue"))

        def ended(error: BullMQError) -> None:
            if not finished.done():
                finished.set_exception(error)

        def failed(args: Mapping[str, Any], _: str) -> None:
            ended(JobFailed(str(args.get("failedReason"))))

        def closing(*_: object) -> None:
            ended(BullMQError("closing queue"))

        listeners = (
            (events, f"completed:{self.id}", completed),
            (events, f"failed:{self.id}", failed),
            (self._owner, "closing", closing),
        )
        for source, event, listener in listeners:
            source.on(event, listener)
        try:
            async with asyncio.timeout(timeout_ms / 1000 if timeout_ms else None):
                await events.ready()  # what happens after the question will be told
                status, value = await reading.is_finished(self._owner.wire, self.id)
                if status == 1:
                    result: Result | None = lenient(value)
                    return result
                if status == -1:
                    raise JobNotExist(job=self._owner.keys.job(self.id), command="isFinished")
                if status != 0:
                    raise JobFailed(str(value))
                return await finished
        except ConnectionClosed:
            if not finished.done():
                raise
            return await finished  # why the connection was closed
        except TimeoutError:
            raise JobWaitTimeout(self.name, self.id, timeout_ms) from None
        finally:
            for source, event, listener in listeners:
                source.off(event, listener)
            if finished.done() and not finished.cancelled():
                finished.exception()  # told twice, by the question and by an event: no loose end

    async def _in_set(self, key: str) -> bool:
        return await self._owner.client.command("ZSCORE", key, self.id) is not None

    async def _in_list(self, key: str) -> bool:
        return await self._owner.client.command("LPOS", key, self.id) is not None
