"""A service: workers that run until the process is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from typing import Any

from bullmq_ref.worker import Worker

SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run_until_signal(*workers: Worker[Any, Any]) -> signal.Signals:
    """Return the SIGTERM or SIGINT that came, once the workers have closed; a second one closes them by force, and
    leaves their jobs to the stalled sweep. POSIX only; in the main thread.

        await run_until_signal(Worker("mail", send))
    """
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in SIGNALS:
        loop.add_signal_handler(number, came.put_nowait, number)
    try:
        first = await came.get()
        closing = asyncio.gather(*(worker.close() for worker in workers))
        hurrying = asyncio.create_task(_hurry(came, workers), name="second signal")
        await closing
        hurrying.cancel()
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    return first


async def _hurry(came: asyncio.Queue[signal.Signals], workers: Iterable[Worker[Any, Any]]) -> None:
    await came.get()
    await asyncio.gather(*(worker.close(force=True) for worker in workers))
