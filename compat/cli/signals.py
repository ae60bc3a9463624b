"""Signals: what a command does ends in order on SIGTERM as it does on Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Terminated(Exception):
    """SIGTERM has ended the work."""


def carried_out(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, which SIGTERM cancels, too. Raises `Terminated` then, and KeyboardInterrupt on Ctrl-C."""
    terminated = False

    async def follow() -> T:
        task = asyncio.current_task()
        assert task is not None

        def terminate() -> None:
            nonlocal terminated
            terminated = True
            task.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
        return await work

    try:
        return asyncio.run(follow())
    except asyncio.CancelledError:
        if not terminated:
            raise
        raise Terminated from None
