"""The jobs in hand: read when they were about to begin, kept until they end, as many as memory is set apart for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from compat.mirror.model import Input

JOBS: Final = 10_000
BYTES: Final = 64 * 2**20  # of data


class Hand:
    """Oldest jobs are let go of first; what is let go of is read again at its end."""

    def __init__(self, jobs: int = JOBS, size: int = BYTES) -> None:
        self._jobs, self._size = jobs, size
        self._inputs: dict[str, Input] = {}
        self._bytes = 0
        self.started: dict[str, float] = {}  # job → ms
        self.again: set[str] = set()

    def __contains__(self, job: str) -> bool:
        return job in self._inputs

    def given(self, job: str) -> Input | None:
        """What the job was given, if it is known."""
        return self._inputs.get(job)

    def take(self, inputs: Mapping[str, Input]) -> None:
        """Keep what jobs are given."""
        for job, given in inputs.items():
            self._forget(job)
            self._inputs[job] = given
            self._bytes += len(given.data)
        while len(self._inputs) > self._jobs or (self._bytes > self._size and self._inputs):
            self._forget(next(iter(self._inputs)))

    def begun(self, started: Mapping[str, float], again: frozenset[str]) -> None:
        """Note when jobs were started, and which had ended before."""
        self.started |= started
        self.again |= again
        while len(self.started) > self._jobs:
            del self.started[next(iter(self.started))]

    def let_go(self, job: str) -> None:
        """The job has ended."""
        self.started.pop(job, None)
        self.again.discard(job)
        self._forget(job)

    def _forget(self, job: str) -> None:
        given = self._inputs.pop(job, None)
        if given is not None:
            self._bytes -= len(given.data)
