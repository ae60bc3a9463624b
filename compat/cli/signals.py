"""Signals: what a command does ends in order on SIGTERM, and when its terminal goes, as it does on Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from compat.cli.exits import Terminated

T = TypeVar("T")


def carried_out(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, which SIGTERM and SIGHUP cancel, too. Raises `Terminated` then; KeyboardInterrupt on Ctrl-C."""
    terminated = False

    async def follow() -> T:
        task = asyncio.current_task()
        assert task is not None

        def terminate() -> None:
            nonlocal terminated
            terminated = True
            task.cancel()

        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                asyncio.get_running_loop().add_signal_handler(number, terminate)
        return await work

    try:
        return asyncio.run(follow())
    except asyncio.CancelledError:
        if not terminated:
            raise
        raise Terminated from None
