"""A job: what was asked for, what has become of it, and what can be done with it."""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bullmq_ref import backoff, clock
from bullmq_ref.errors import BullMQError, JobLocked, UnrecoverableError
from bullmq_ref.jsjson import UNDEFINED, Undefined, dumps, loads
from bullmq_ref.options import PARENT_FLAGS, decoded, encoded, normalised, validate
from bullmq_ref.scripts import managing, reading, working
from bullmq_ref.scripts.adding import NewJob
from bullmq_ref.scripts.working import Fetched, Finish

if TYPE_CHECKING:
    from bullmq_ref.base import QueueBase
    from bullmq_ref.queue_events import QueueEvents

Payload = TypeVar("Payload")
Result = TypeVar("Result")

_LEADING_INTEGER = re.compile(r"\s*([+-]?\d+)")


class Job(Generic[Payload, Result]):
    """A job as it was when it was added or fetched. `options` have Node's names; times are ms since the epoch.

    `attempts_made` counts attempts that ended, `attempts_started` those that began, `stalled_counter` the stalls.
    """

    def __init__(
        self, owner: QueueBase, name: str, data: Payload, options: Mapping[str, Any], job_id: str | None = None
    ) -> None:
        self._owner = owner
        self.id = job_id or ""
        self.name = name
        self.data = data
        self.options = normalised(options)
        self.timestamp: float = options.get("timestamp") or clock.now()
        self.delay: float | None = self.options.get("delay")
        self.priority: float = self.options.get("priority") or 0
        self.progress: Any = 0
        self.returnvalue: Result | None = None
        self.stacktrace: list[str] | None = None
        self.attempts_made = 0
        self.attempts_started = 0
        self.stalled_counter = 0
        self.failed_reason: str | None = None
        self.deferred_failure: str | None = None
        self.finished_on: int | None = None
        self.processed_on: int | None = None
        self.processed_by: str | None = None
        self.repeat_job_key: str | None = options.get("repeatJobKey")
        self.next_repeatable_job_id: str | None = None
        self.token: str | None = None
        self.parent_key: str | None = None
        self.parent: dict[str, Any] | None = None
        if parent := options.get("parent"):
            self.parent_key = f"{parent.get('queue')}:{parent.get('id')}"
            flags = {flag: True for option, flag in _FLAGS.items() if options.get(option)}
            self.parent = {"id": parent.get("id"), "queueKey": parent.get("queue"), **flags}
        deduplication = options.get("deduplication") or options.get("debounce") or {}
        self.deduplication_id: str | None = deduplication.get("id")

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.name!r} of {self._owner.keys.qualified}>"

    @property
    def queue_name(self) -> str:
        return self._owner.name

    @property
    def prefix(self) -> str:
        return self._owner.prefix

    # --- to and from Redis -------------------------------------------------------------------------------------------

    def new(self) -> NewJob:
        """What is stored of it, checked against Node's rules and the owner's limits. Raises Invalid."""
        data = "{}" if isinstance(self.data, Undefined) else dumps(self.data)
        validate(self.name, data, self.options)
        self._owner.limits.check(self.name, data, self.options)
        return NewJob(
            name=self.name,
            data=data,
            options=encoded(self.options),
            timestamp=self.timestamp,
            id=self.id,
            parent_key=self.parent_key,
            parent=self.parent,
            repeat_job_key=self.repeat_job_key,
            deduplication_id=self.deduplication_id,
        )

    @classmethod
    def from_fields(cls, owner: QueueBase, fields: Mapping[str, str], job_id: str) -> Job[Any, Any]:
        """A job from its hash. Numbers are read as leniently as Node reads them."""
        options = decoded(loads(fields.get("opts") or "{}"))
        data = loads(fields.get("data") or "{}")
        job: Job[Any, Any] = cls(owner, fields.get("name", ""), data, options, job_id)
        job.progress = loads(fields.get("progress") or "0")
        job.delay = _integer(fields.get("delay"))
        job.priority = _integer(fields.get("priority")) or 0
        job.timestamp = _integer(fields.get("timestamp")) or 0
        job.finished_on = _integer(fields.get("finishedOn"))
        job.processed_on = _integer(fields.get("processedOn"))
        job.attempts_started = _integer(fields.get("ats")) or 0
        job.attempts_made = _integer(fields.get("attemptsMade") or fields.get("atm")) or 0
        job.stalled_counter = _integer(fields.get("stc")) or 0
        job.failed_reason = fields.get("failedReason") or None
        job.deferred_failure = fields.get("defa") or None
        job.processed_by = fields.get("pb") or None
        job.next_repeatable_job_id = fields.get("nrjid") or None
        job.repeat_job_key = fields.get("rjk") or job.repeat_job_key
        job.deduplication_id = fields.get("deid") or job.deduplication_id
        job.parent_key = fields.get("parentKey") or job.parent_key
        job.parent = loads(fields["parent"]) if fields.get("parent") else job.parent
        traces = _lenient(fields.get("stacktrace"))
        job.stacktrace = traces if isinstance(traces, list) else []
        job.returnvalue = _lenient(fields.get("returnvalue"))
        return job

    @classmethod
    async def from_id(cls, owner: QueueBase, job_id: str) -> Job[Any, Any] | None:
        """The job, or None when there is none of that id."""
        if not job_id:
            return None
        found = await owner.client.command("HGETALL", owner.keys.job(job_id))
        return cls.from_fields(owner, dict(zip(found[::2], found[1::2], strict=True)), job_id) if found else None

    # --- what a processor does ---------------------------------------------------------------------------------------

    async def update_data(self, data: Payload) -> None:
        """Replace the data. Raises JobNotExist."""
        self.data = data
        await managing.update_data(self._owner.wire, self.id, dumps(data))

    async def update_progress(self, progress: Any) -> None:
        """Store any JSON value as progress, and tell. Raises JobNotExist."""
        self.progress = progress
        await managing.update_progress(self._owner.wire, self.id, dumps(progress))
        self._owner.emit("progress", self, progress)

    async def log(self, row: str) -> int:
        """Append a row; returns how many there are. Raises JobNotExist."""
        keep = self.options.get("keepLogs") or self._owner.limits.logs
        return await managing.add_log(self._owner.wire, self.id, row, keep)

    async def clear_logs(self, keep: int | None = None) -> None:
        """Delete the rows, or all but the last `keep`."""
        key = self._owner.keys.job(self.id, "logs")
        if keep:
            await self._owner.client.command("LTRIM", key, -keep, -1)
        else:
            await self._owner.client.command("DEL", key)

    async def extend_lock(self, token: str, duration: int) -> int:
        """1 when the lock lasts `duration` ms from now, 0 when it is not this token's."""
        return await working.extend_lock(self._owner.wire, self.id, token, duration)

    async def move_to_delayed(self, timestamp: float, token: str | None = None) -> None:
        """From active to delayed until `timestamp`; then raise DelayedError. Raises as the script."""
        now = clock.now()
        delay = max(timestamp - now, 0)
        await working.move_to_delayed(
            self._owner.wire, self.id, token or working.NO_TOKEN, at=now, delay=delay, skip_attempt=True
        )
        self.delay = delay

    async def move_to_wait(self, token: str | None = None) -> int:
        """From active to the front of wait; then raise WaitingError. Returns the ms that the queue is limited for."""
        return await working.move_job_from_active_to_wait(self._owner.wire, self.id, token or working.NO_TOKEN)

    async def move_to_waiting_children(self, token: str, child: Mapping[str, str] | None = None) -> bool:
        """True when moved (then raise WaitingChildrenError), False when no child is pending. `child`: {id, queue}."""
        key = f"{child['queue']}:{child['id']}" if child else None
        return await working.move_to_waiting_children(self._owner.wire, self.id, token, child=key)

    async def move_to_completed(self, value: Any, token: str, fetch_next: bool = True) -> Fetched:
        """Complete with `value`; the next job's hash comes along when `fetch_next`. Raises as the script, and TypeError
        for a value that has no JSON."""
        text = "null" if isinstance(value, Undefined) else dumps(value)
        self.returnvalue = None if isinstance(value, Undefined) else value
        return await self._finish("completed", text, token, fetch_next, "removeOnComplete")

    async def move_to_failed(self, error: BaseException, token: str, fetch_next: bool = False) -> Fetched | None:
        """Fail, or try again when attempts are left: then None. Raises as the scripts."""
        self.failed_reason = str(error)
        wait = await self._retry_delay(error)
        self._trace(error)
        updates = {"failedReason": self.failed_reason, "stacktrace": dumps(self.stacktrace)}
        wire = self._owner.wire
        if wait is None:
            return await self._finish("failed", self.failed_reason, token, fetch_next, "removeOnFail", updates)
        if wait:
            await working.move_to_delayed(wire, self.id, token, at=clock.now(), delay=wait, updates=updates)
            self.delay = wait
        else:
            lifo = bool(self.options.get("lifo"))
            await working.retry_job(wire, self.id, token, lifo=lifo, updates=updates)
        self.attempts_made += 1
        kind = (self.options.get("backoff") or {}).get("type")
        self._owner.emit("retrying", self, wait, kind)
        return None

    async def _retry_delay(self, error: BaseException) -> float | None:
        """ms until the next attempt, or None when this was the last."""
        last = self.attempts_made + 1 >= (self.options.get("attempts") or 0)
        if last or isinstance(error, UnrecoverableError) or type(error).__name__ == "UnrecoverableError":
            return None
        owner = self._owner
        wait = await backoff.delay(
            self.options.get("backoff"),
            self.attempts_made + 1,
            error,
            self,
            owner.strategy,
            longest=owner.limits.backoff,
        )
        return None if wait == -1 else wait or 0

    async def _finish(
        self,
        state: Any,
        value: str,
        token: str,
        fetch_next: bool,
        option: str,
        updates: Mapping[str, str] | None = None,
    ) -> Fetched:
        owner, at = self._owner, clock.now()
        keep = kept(self.options.get(option, UNDEFINED), owner.keep.get(state))
        finish = Finish(state, value, keep, self.options, updates)
        fetch = fetch_next and not owner.closing
        fetched = await working.move_to_finished(
            owner.wire, self.id, token, finish, owner.terms, at=at, fetch_next=fetch
        )
        self.finished_on = at
        self.attempts_made += 1
        return fetched

    def _trace(self, error: BaseException) -> None:
        limit = self.options.get("stackTraceLimit")
        traces = [*(self.stacktrace or []), stack(error)]
        self.stacktrace = traces[-limit:] if limit else [] if limit == 0 else traces

    # --- what a manager does -----------------------------------------------------------------------------------------

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

    async def remove_child_dependency(self) -> bool:
        """Cut the tie to the parent; True when there was one. Raises JobNotExist, ParentJobNotExist."""
        if not await managing.remove_child_dependency(self._owner.wire, self.id, self.parent_key or ""):
            return False
        self.parent = self.parent_key = None
        return True

    async def remove_unprocessed_children(self) -> None:
        """Remove the children that are neither locked nor finished."""
        await managing.remove_unprocessed_children(self._owner.wire, self.id)

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

    async def get_children_values(self) -> dict[str, Any]:
        """What the children returned, by their keys."""
        found = await self._owner.client.command("HGETALL", self._owner.keys.job(self.id, "processed"))
        return {key: loads(value) for key, value in zip(found[::2], found[1::2], strict=True)}

    async def get_ignored_children_failures(self) -> dict[str, str]:
        """Why children failed whose failure is ignored, by their keys."""
        found = await self._owner.client.command("HGETALL", self._owner.keys.job(self.id, "failed"))
        return dict(zip(found[::2], found[1::2], strict=True))

    async def wait_until_finished(self, events: QueueEvents, timeout_ms: int | None = None) -> Result | None:
        """What it returned. Raises BullMQError with the reason when it failed, is missing or takes too long."""
        finished: asyncio.Future[tuple[int, Any]] = asyncio.get_running_loop().create_future()

        def completed(args: Mapping[str, Any], _: str) -> None:
            if not finished.done():
                finished.set_result((1, args.get("returnvalue")))

        def failed(args: Mapping[str, Any], _: str) -> None:
            if not finished.done():
                finished.set_result((2, args.get("failedReason")))

        listeners = ((f"completed:{self.id}", completed), (f"failed:{self.id}", failed))
        for event, listener in listeners:
            events.on(event, listener)
        try:
            status, value = await reading.is_finished(self._owner.wire, self.id)
            if status == 1:
                value = _lenient(value)
            elif status == 0:
                status, value = await asyncio.wait_for(finished, timeout_ms / 1000 if timeout_ms else None)
        except TimeoutError:
            raise BullMQError(
                f"Job wait {self.name} timed out before finishing, no finish notification arrived after {timeout_ms}ms "
                f"(id={self.id})"
            ) from None
        finally:
            for event, listener in listeners:
                events.off(event, listener)
        if status != 1:
            raise BullMQError(str(value))
        result: Result | None = value
        return result

    async def _in_set(self, key: str) -> bool:
        return await self._owner.client.command("ZSCORE", key, self.id) is not None

    async def _in_list(self, key: str) -> bool:
        return await self._owner.client.command("LPOS", key, self.id) is not None


#: The order in which Node writes the flags into `parent`.
_FLAGS = {
    option: PARENT_FLAGS[option]
    for option in (
        "failParentOnFailure",
        "removeDependencyOnFailure",
        "ignoreDependencyOnFailure",
        "continueParentOnFailure",
    )
}


def kept(option: Any, default: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Which jobs stay, by the job's option (true: none, false: all, a number, `{count, age}`) or the worker's."""
    if isinstance(option, Undefined):
        return default or {"count": -1}
    if isinstance(option, Mapping):
        return option
    if isinstance(option, bool):
        return {"count": 0 if option else -1}
    return {"count": option}


def stack(error: BaseException) -> str:
    """A stack trace as Node's users know it: `Name: message`, then `    at …`, the innermost call first."""
    text = str(error)
    head = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return "\n".join([head, *(f"    at {f.name} ({f.filename}:{f.lineno}:{(f.colno or 0) + 1})" for f in frames)])


def _integer(text: str | None) -> int | None:
    """JavaScript's `parseInt`; None for NaN."""
    found = _LEADING_INTEGER.match(text) if text else None
    return int(found[1]) if found else None


def _lenient(text: str | None) -> Any:
    try:
        return loads(text) if text else None
    except ValueError:
        return None
