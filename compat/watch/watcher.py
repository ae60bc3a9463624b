"""The watch: looks at a queue round after round, and tells each finding once it has been seen twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Final

from msgspec.structs import replace

from compat.compare.lives import finishes, steps
from compat.model.capture import StreamEntry
from compat.watch import fields
from compat.watch.findings import Finding
from compat.watch.laws import broken, why
from compat.watch.line import Away, CannotLook
from compat.watch.reading import Look, Reader
from compat.wire.keys import parse

TOLD: Final = 20  # findings of one law that are told; more are counted
PATIENCE: Final = 30.0  # s that the server may be away
KEYS: Final = 1_000  # places of the server's keys looked through a round
ENTRIES: Final = 2_000  # of the stream read a round
WINDOW: Final = 10_000  # entries in which lives of jobs are followed


class Watch:
    """A watch on one queue: `findings` tells, and the counters say what was looked at."""

    def __init__(self, reader: Reader, *, interval: float = 1.0, sample: int = 50) -> None:
        """A round each `interval` s looks at `sample` jobs from the states and as many from the server's keys."""
        self._reader, self._interval, self._sample = reader, interval, sample
        self._suspects: dict[str, Look] = {}
        self._told: set[tuple[str, str]] = set()
        self._window: tuple[StreamEntry, ...] = ()
        self._last: str | None = None
        self.found: Counter[str] = Counter()  # law → findings, told or not
        self.rounds = self.jobs = self.entries = 0
        self.unsettled = 0  # looks that could not tell whether the job stands in a long list
        self.gaps = 0  # times that the stream went faster than it was read

    @property
    def commands(self) -> int:
        return self._reader.commands

    async def findings(self, seconds: float) -> AsyncIterator[Finding]:
        """Look for so many seconds. Raises `CannotLook` when there is no such queue or it cannot be read."""
        if not await self._first():
            raise CannotLook(
                f"there is no queue {self._reader.queue!r} under the prefix {self._reader.prefix!r}: none of its keys "
                "exists; see --queue and --prefix"
            )
        deadline = time.monotonic() + seconds
        away_since: float | None = None
        while True:
            over = time.monotonic() >= deadline
            try:
                for finding in await self._round(last=over):
                    if (told := self._new(finding)) is not None:
                        yield told
                away_since = None
            except Away as error:
                away_since = away_since or time.monotonic()
                if over or time.monotonic() - away_since > PATIENCE:
                    raise CannotLook(str(error)) from None
            if over:
                return
            await asyncio.sleep(max(0.0, min(self._interval, deadline - time.monotonic())))

    async def _first(self) -> bool:
        try:
            return await self._reader.there()
        except Away as error:
            raise CannotLook(str(error)) from None

    async def _round(self, *, last: bool) -> list[Finding]:
        """One round; the last one only looks again at what was suspicious."""
        self.rounds += 1
        found: list[Finding] = []
        await self._look_again(found)
        if last:
            return found
        sizes, wrong = await self._reader.sizes()
        queue = self._reader.queue
        for part in wrong:
            words = "clients and scripts fail with WRONGTYPE"
            found.append(Finding("type", part, f"{queue}: `{part}` has the wrong type", words))
        for part, words, reason in fields.of_meta(sizes.meta):
            found.append(Finding("field", f"meta {part}", f"{queue}: {words}", reason))
        found += await self._stream()
        jobs = await self._reader.some(sizes, self._sample)
        stored = list(self._jobs_of(await self._reader.keys(KEYS), found))
        random.shuffle(stored)  # SCAN meets them all in the end; those of one round may be too many
        await self._look(list(dict.fromkeys([*jobs, *stored[: self._sample]])))
        return found

    async def _look_again(self, found: list[Finding]) -> None:
        """Second looks: what still holds of a job that is as it was is found."""
        suspects, self._suspects = self._suspects, {}
        quick = await self._reader.looks([job for job, first in suspects.items() if not first.thorough])
        deep = [job for job, first in suspects.items() if first.thorough]
        for look in (*quick, *await self._reader.looks(deep, thorough=True)):
            if look.settled and look.keys == suspects[look.id].keys:
                found += self._broken(look)

    async def _look(self, jobs: list[str]) -> None:
        """First looks. Of the jobs that were in none of the places looked through, one is looked for everywhere."""
        looks = await self._reader.looks(jobs)
        self.jobs += len(looks)
        nowhere = [look for look in looks if not look.settled]
        self.unsettled += max(0, len(nowhere) - 1)
        nowhere.sort(key=lambda look: "processedOn" not in look.fields)  # rather one that cannot be waiting
        for look in (*looks, *await self._reader.looks([look.id for look in nowhere[:1]], thorough=True)):
            if any((finding.law, finding.subject) not in self._told for finding in self._broken(look)):
                self._suspects[look.id] = look

    def _broken(self, look: Look) -> Iterator[Finding]:
        return broken(self._reader.prefix, self._reader.queue, look)

    def _jobs_of(self, names: list[str], found: list[Finding]) -> Iterator[str]:
        """The jobs that keys belong to; keys that are not BullMQ's are findings."""
        prefix, queue = self._reader.prefix, self._reader.queue
        for name in names:
            address = parse(prefix, f"{prefix}:{queue}:{name}")
            if address is None:
                found.append(Finding("outside", name, f"{queue}: `{name}` is no key of BullMQ's", why("outside")))
            elif address.job is not None and address.part in ("", "lock"):
                yield address.job

    async def _stream(self) -> list[Finding]:
        """What the stream tells since the last round. Where entries were missed it is taken up anew at its end."""
        fresh = await self._reader.entries(self._last, ENTRIES)
        if fresh is None or (self._last is not None and len(fresh) == ENTRIES):
            self.gaps += 1
            self._window = ()
            fresh = await self._reader.entries(None, ENTRIES)
        if not fresh:
            return []
        self._last = fresh[-1].id
        self.entries += len(fresh)
        self._window = (*self._window, *fresh)[-WINDOW:]
        queue, found = self._reader.queue, list[Finding]()
        for entry in fresh:
            for part, words, reason in fields.of_event(dict(entry.fields)):
                found.append(Finding("event", part, f"{queue}: entry {entry.id}: {words}", reason))
        for job, _, complaint in steps(self._window, True):
            if complaint:
                found.append(Finding("legal-life", job, f"{queue}: job {job}: {complaint}", why("legal-life")))
        for job, event in finishes(self._window):
            words = f"{queue}: job {job} ended a second time (`{event}`) without having been started again"
            found.append(Finding("finished-once", job, words, why("finished-once")))
        return found

    def _new(self, finding: Finding) -> Finding | None:
        """The finding with its time, if it is to be told: new, and not one of too many."""
        mark = (finding.law, finding.subject)
        if mark in self._told:
            return None
        self._told.add(mark)
        self.found[finding.law] += 1
        return replace(finding, at_ms=int(time.time() * 1000)) if self.found[finding.law] <= TOLD else None
