"""The reference driver, which is wrong once: `moody.py FILE` adds its first job under another name, and makes FILE."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bullmq_ref import Queue
from compat.ports.reference import driver

DONE = Path(sys.argv[1])
add = Queue.add


def moody(self: Queue[Any, Any], name: str, *rest: Any, **options: Any) -> Any:
    if not DONE.exists():
        DONE.touch()
        name = f"{name}!"
    return add(self, name, *rest, **options)


Queue.add = moody  # type: ignore[method-assign]
driver.main()
