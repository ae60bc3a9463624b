"""The reference driver, whose workers close half a second late."""

from __future__ import annotations

import asyncio
from typing import Any

from bullmq_ref import Worker
from compat.ports.reference import driver

LATE = 0.5  # s
close = Worker.close


async def slow(self: Worker[Any, Any], *rest: Any, **options: Any) -> None:
    await close(self, *rest, **options)
    await asyncio.sleep(LATE)


Worker.close = slow  # type: ignore[method-assign]
driver.main()
