"""An attempt at a job: what its processor may do, and how it ends."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from bullmq_ref import backoff, clock
from bullmq_ref.errors import BullMQError, UnrecoverableError
from bullmq_ref.job_record import Payload, Record, Result
from bullmq_ref.jsjson import UNDEFINED, Undefined, dumps
from bullmq_ref.scripts import managing, working
from bullmq_ref.scripts.working import Fetched, Finish
from bullmq_ref.tracing import Span, begin, maybe, omits


class Attempt(Record[Payload, Result]):
    """A job in the hands of whoever works on it. `token` names the lock that it is held by."""

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

    def discard(self) -> None:
        """Let this attempt be the last: when it fails, the job is not tried again."""
        self.discarded = True

    async def extend_lock(self, token: str, duration: float) -> int:
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

    async def move_to_completed(self, value: Any, token: str, fetch_next: bool = True) -> Fetched:
        """Complete with `value`; the next job's hash comes along when `fetch_next`. Raises as the script, and TypeError
        for a value that has no JSON."""
        text = "null" if isinstance(value, Undefined) else dumps(value)
        self.returnvalue = None if isinstance(value, Undefined) else value
        end = ("completed", text, token, fetch_next, "removeOnComplete")
        if self._owner.telemetry is None:
            return await self._finish(*end)
        with begin(self._owner.telemetry, self._owner.name, "complete"):
            return await self._finish(*end)

    async def move_to_failed(self, error: BaseException, token: str, fetch_next: bool = False) -> Fetched | None:
        """Fail, or try again when attempts are left: then None. Raises as the scripts."""
        self.failed_reason = str(error)
        wait = await self._retry_delay(error)
        operation = "fail" if wait is None else "delay" if wait else "retry"
        traces = self.stacktrace
        try:
            with maybe(self._owner.telemetry, self._owner.name, operation, {}) as span:
                return await self._fail(error, wait, token, fetch_next, span)
        except BullMQError:
            self.stacktrace = traces  # this end may be told again, and is one trace then
            raise

    async def _fail(
        self, error: BaseException, wait: float | None, token: str, fetch_next: bool, span: Span | None
    ) -> Fetched | None:
        self._trace(error)
        reason = str(error)
        updates = {"failedReason": reason, "stacktrace": dumps(self.stacktrace)}
        if span is not None and not omits(self.options):
            updates["tm"] = span.metadata
        wire = self._owner.wire
        if wait is None:
            return await self._finish("failed", reason, token, fetch_next, "removeOnFail", updates)
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
        hopeless = isinstance(error, UnrecoverableError) or type(error).__name__ == "UnrecoverableError"
        if last or self.discarded or hopeless:
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


_ALL: Mapping[str, Any] = {"count": -1}


def kept(option: Any, default: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Which jobs stay, by the job's option (true: none, false: all, a number, `{count, age}`) or the worker's."""
    if isinstance(option, Undefined):
        return default or _ALL
    if isinstance(option, Mapping):
        return option
    if isinstance(option, bool):
        return {"count": 0 if option else -1}
    return {"count": option}


def stack(error: BaseException) -> str:
    """A stack trace as Node's users know it: `Name: message`, then `    at …`, the innermost call first."""
    told: str | None = getattr(error, "stack", None)
    if told is not None:
        return told
    text = str(error)
    head = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return "\n".join([head, *(f"    at {f.name} ({f.filename}:{f.lineno}:{(f.colno or 0) + 1})" for f in frames)])
