"""Abort signals: how a processor of PyPI's `bullmq` learns that its job was cancelled."""

from __future__ import annotations

import asyncio


class AbortError(Exception):
    """What `throw_if_aborted` raises; `reason` is the one given to `cancelJob`."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or "The operation was aborted")
        self.reason = reason


class AbortSignal:
    """The third argument of a processor that takes three: set when the job is cancelled."""

    def __init__(self) -> None:
        self._aborted = asyncio.Event()
        self._reason: str | None = None

    @property
    def aborted(self) -> bool:
        """Whether the job was cancelled."""
        return self._aborted.is_set()

    @property
    def reason(self) -> str | None:
        """Why, if that was said."""
        return self._reason

    async def wait(self) -> None:
        """Return when the job is cancelled."""
        await self._aborted.wait()

    def throw_if_aborted(self) -> None:
        """Raise AbortError if the job was cancelled."""
        if self.aborted:
            raise AbortError(self._reason)

    def _abort(self, reason: str | None) -> None:
        if not self.aborted:
            self._reason = reason
            self._aborted.set()


class AbortController:
    """Owns a `signal` and sets it."""

    def __init__(self) -> None:
        self.signal = AbortSignal()

    def abort(self, reason: str | None = None) -> None:
        """Set the signal; only the first reason counts."""
        self.signal._abort(reason)
