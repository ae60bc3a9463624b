"""A job under the names of PyPI's `bullmq`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bullmq_ref.errors import Invalid
from bullmq_ref.job import Job as Inner
from bullmq_ref.scripts.working import Fetched

if TYPE_CHECKING:
    from bullmq_ref.dropin.queue import Queue
    from bullmq_ref.dropin.worker import Worker


class Job:
    """A job. Attributes are those of PyPI's package; times are ms since the epoch.

    Made by hand it is not stored: `queue.add` does that.
    """

    def __init__(
        self, queue: Queue, name: str, data: Any, opts: Mapping[str, Any] | None = None, job_id: str | None = None
    ) -> None:
        opts = opts or {}
        self._hold(queue, Inner(queue.inner, name, data, opts, opts.get("jobId") or job_id))

    @classmethod
    def of(cls, queue: Queue | Worker | None, inner: Inner[Any, Any]) -> Job:
        """A job of this library under the other names."""
        job = cls.__new__(cls)
        job._hold(queue, inner)
        return job

    def _hold(self, queue: Queue | Worker | None, inner: Inner[Any, Any]) -> None:
        self.queue, self.inner = queue, inner

    def __repr__(self) -> str:
        return repr(self.inner)

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str | None:
        """None until it is added."""
        return self.inner.id or None

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def data(self) -> Any:
        return self.inner.data

    @property
    def opts(self) -> dict[str, Any]:
        """Options with Node's names."""
        return self.inner.options

    @property
    def progress(self) -> Any:
        return self.inner.progress

    @property
    def timestamp(self) -> float:
        """When it was made."""
        return self.inner.timestamp

    @property
    def delay(self) -> float:
        """ms."""
        return self.inner.delay or 0

    @property
    def priority(self) -> float:
        return self.inner.priority

    @property
    def attempts(self) -> int:
        """How many attempts it may have."""
        return int(self.inner.options.get("attempts") or 1)

    @property
    def attemptsMade(self) -> int:
        """How many attempts have ended."""
        return self.inner.attempts_made

    @property
    def attemptsStarted(self) -> int:
        """How many attempts have begun."""
        return self.inner.attempts_started

    @property
    def stalledCounter(self) -> int:
        """How often its worker was lost."""
        return self.inner.stalled_counter

    @property
    def processedOn(self) -> int:
        """0 until it is worked on."""
        return self.inner.processed_on or 0

    @property
    def finishedOn(self) -> int:
        """0 until it is finished."""
        return self.inner.finished_on or 0

    @property
    def returnvalue(self) -> Any:
        """What the processor returned."""
        return self.inner.returnvalue

    @property
    def failedReason(self) -> str | None:
        """Why its last attempt failed."""
        return self.inner.failed_reason

    @property
    def deferredFailure(self) -> str | None:
        """Why it will fail without running, if it will."""
        return self.inner.deferred_failure

    @property
    def stacktrace(self) -> list[str]:
        """Of its failed attempts, the oldest first."""
        return self.inner.stacktrace or []

    @property
    def repeatJobKey(self) -> str | None:
        """The scheduler that made it."""
        return self.inner.repeat_job_key

    @property
    def deduplication_id(self) -> str | None:
        """The id under which no second job is added."""
        return self.inner.deduplication_id

    @property
    def parentKey(self) -> str | None:
        """Its parent's key."""
        return self.inner.parent_key

    @property
    def parent(self) -> dict[str, Any] | None:
        """`{id, queueKey}`."""
        return self.inner.parent

    @property
    def queueQualifiedName(self) -> str:
        """`<prefix>:<queue>`."""
        return self.inner.queue_qualified_name

    @property
    def token(self) -> str | None:
        """The lock's, while it is worked on."""
        return self.inner.token

    @property
    def discarded(self) -> bool:
        """Whether this attempt is the last."""
        return self.inner.discarded

    # --- what is done with it ----------------------------------------------------------------------------------------

    async def updateData(self, data: Any) -> None:
        """Replace the data."""
        await self.inner.update_data(data)

    async def updateProgress(self, progress: Any) -> None:
        """Store any JSON value as progress, and tell."""
        await self.inner.update_progress(progress)

    async def log(self, logRow: str) -> int:
        """Append a row; returns how many there are."""
        return await self.inner.log(logRow)

    async def promote(self) -> None:
        """From delayed to wait now."""
        await self.inner.promote()

    async def changePriority(self, opts: Mapping[str, Any]) -> None:
        """`opts`: `{priority, lifo}`."""
        await self.inner.change_priority(opts.get("priority", 0), lifo=bool(opts.get("lifo", False)))

    async def remove(self, opts: Mapping[str, Any] = {}) -> None:
        """Remove it and, unless `removeChildren` is false, its children. Raises JobLocked."""
        await self.inner.remove(remove_children=opts.get("removeChildren", True))

    async def retry(self, state: str = "failed", opts: Mapping[str, Any] = {}) -> None:
        """Back to wait from `failed` or `completed`. Raises Invalid for resets, which BullMQ 5.62.0 has not."""
        if asked := [name for name in ("resetAttemptsMade", "resetAttemptsStarted") if opts.get(name)]:
            raise Invalid(
                f"BullMQ 5.62.0 cannot reset attempts on a retry: leave out {', '.join(asked)}", field=asked[0]
            )
        await self.inner.retry(state)

    async def getState(self) -> str:
        """The state's name, or `unknown`."""
        return await self.inner.get_state()

    async def isCompleted(self) -> bool:
        return await self.inner.is_completed()

    async def isFailed(self) -> bool:
        return await self.inner.is_failed()

    async def isDelayed(self) -> bool:
        return await self.inner.is_delayed()

    async def isActive(self) -> bool:
        return await self.inner.is_active()

    async def isWaiting(self) -> bool:
        return await self.inner.is_waiting()

    async def isWaitingChildren(self) -> bool:
        return await self.inner.is_waiting_children()

    async def getChildrenValues(self) -> dict[str, Any]:
        """What the children returned, by their keys."""
        return await self.inner.get_children_values()

    async def moveToCompleted(self, return_value: Any, token: str, fetchNext: bool = False) -> list[Any] | None:
        """Complete it by hand. With `fetchNext`: `[fields, id, limited for ms, delayed until]` of the next job."""
        return _next(await self.inner.move_to_completed(return_value, token, fetchNext))

    async def moveToFailed(self, err: BaseException, token: str, fetchNext: bool = False) -> list[Any] | None:
        """Fail it by hand, or try again when attempts are left."""
        fetched = await self.inner.move_to_failed(err, token, fetchNext)
        return None if fetched is None else _next(fetched)

    async def moveToDelayed(self, timestamp: float, token: str) -> None:
        """From active to delayed until `timestamp`; then raise DelayedError."""
        await self.inner.move_to_delayed(timestamp, token)

    async def moveToWaitingChildren(self, token: str, opts: Mapping[str, Any]) -> bool:
        """True when moved (then raise WaitingChildrenError), False when no child is pending."""
        return await self.inner.move_to_waiting_children(token, opts.get("child"))

    @staticmethod
    async def fromId(queue: Queue, jobId: str) -> Job | None:
        """The job, or None when there is none of that id."""
        return await queue.getJob(jobId)

    @staticmethod
    def fromJSON(queue: Queue, rawData: Mapping[str, str], jobId: str | None = None) -> Job:
        """A job from its hash in Redis."""
        return Job.of(queue, Inner.from_fields(queue.inner, rawData, jobId or rawData.get("id") or ""))

    @staticmethod
    async def addJobLog(queue: Queue, jobId: str, logRow: str, keepLogs: int = 0) -> int:
        """Append a row; returns how many there are."""
        return await queue.inner.add_job_log(jobId, logRow, keepLogs or None)


def _next(fetched: Fetched) -> list[Any] | None:
    if fetched.fields is None:
        return None
    return [dict(fetched.fields), fetched.id, fetched.limited_for, fetched.delayed_until]
