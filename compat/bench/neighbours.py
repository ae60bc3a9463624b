"""What else the machine was doing: the CPU that others used while something was measured."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Neighbours:
    """From now on, how many cores are busy with what is not ours."""

    def __init__(self) -> None:
        self._start, self._busy, self._own = time.monotonic(), _busy(), _own()

    def cores(self, ours: float) -> float | None:
        """Cores that others used until now; `ours`: s of CPU of the peer and the server, this process aside. None
        where the system does not tell."""
        busy = _busy()
        if busy is None or self._busy is None:
            return None
        elapsed = time.monotonic() - self._start
        foreign = busy - self._busy - ours - (_own() - self._own)
        return max(0.0, foreign / elapsed)


def _own() -> float:
    used = os.times()
    return used.user + used.system


def _busy() -> float | None:
    """s of CPU that the machine has used, all cores together."""
    try:
        first = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, first[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS
