"""The mirror: follows production's stream, replays what ended there, and tells where the new worker ends otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from compat.mirror.hand import Hand
from compat.mirror.journal import Journal, Standing
from compat.mirror.model import Divergence, End, Gap, Input, Pair, Unread
from compat.mirror.players import Adder, StandIn
from compat.mirror.source import ENTRIES, Marks, Source
from compat.mirror.tail import START, Batch, Finish, batch, before, ms_of, order, replay
from compat.mirror.verdict import Ignored, divergences
from compat.watch.line import Away, CannotLook

AHEAD: Final = 2_000  # replays that wait for the new worker; production is not read on while there are more
LOOKED: Final = 500  # of them that are looked at in one round
IDLE_S: Final = 0.1  # between two rounds in which nothing came
LATER_MS: Final = 5_000  # clocks of a worker and its server may differ by so much; what ended later is another end
AWAY_S: Final = 0.5  # between two tries to reach a server that is away


#: What is told as it happens. An `Away` is told once, and so is None: the server is back.
Tell = Callable[[Divergence | Unread | Gap | Away | None], None]


@dataclass(frozen=True)
class Limits:
    """`begin` is where the first mirror of a queue begins: `now`, `start` or an entry's id. `rate` is how many jobs are
    read in a second at most. Of an unlimited mirror `seconds` is None; `patience` is how long it waits (s), once it
    reads no more, for the new worker to come to the end of what was replayed."""

    begin: str = "now"
    share: float = 1.0
    rate: float = 500.0
    seconds: float | None = None
    caught_up: bool = False  # end at what was the stream's last entry, once all is compared
    patience: float = 10.0
    ignored: Ignored = field(default_factory=Ignored)


@dataclass
class Counts:
    """What this mirror did since it was started."""

    entries: int = 0
    replayed: int = 0
    compared: int = 0
    divergent: int = 0  # jobs that came to another end
    slower: int = 0  # jobs that differ in their duration, whether or not in something else
    gaps: int = 0
    trimmed: int = 0  # entries that are known to have been missed
    unread: Counter[str] = field(default_factory=Counter)  # why → jobs
    found: Counter[str] = field(default_factory=Counter)  # what → divergences


class Mirror:
    """One mirror of one queue. `counts` and `waiting` may be looked at at any time."""

    def __init__(self, source: Source, journal: Journal, adder: Adder, limits: Limits, tell: Tell) -> None:
        self._source, self._journal, self._adder = source, journal, adder
        self._limits, self._tell = limits, tell
        self._standing = Standing()
        self._hand = Hand()
        self._from = 0  # where the next look at what is pending begins
        self._done: list[str] = []  # told of, and perhaps not noted yet
        self._away = False
        self._at_end = True
        self.counts = Counts()
        self.resumed = False

    @property
    def waiting(self) -> int:
        """Replays that the new worker has not come to the end of."""
        return len(self._standing.pending)

    @property
    def behind(self) -> float:
        """How old (s) the last entry is that was read, by this machine's clock; 0 at the stream's end."""
        return 0.0 if self._at_end else max(0.0, time.time() - order(self._standing.cursor)[0] / 1000)

    def pair(self, name: str) -> Pair | None:
        """What is known of the replay of that id, if it has not been compared."""
        return self._standing.pending.get(name)

    async def run(self, over: asyncio.Event, worker: StandIn | None = None) -> None:
        """Mirror until `over` is set, or the limits say so. Raises `CannotLook` when it cannot be done, and when a
        server is away at the beginning; later it is waited for."""
        try:
            until = await self._begin()
        except Away as error:
            raise CannotLook(str(error)) from None
        deadline = None if self._limits.seconds is None else time.monotonic() + self._limits.seconds
        stopped: float | None = None
        while True:
            now = time.monotonic()
            if stopped is None and (over.is_set() or (deadline is not None and now >= deadline)):
                stopped = now
            caught_up = until is not None and order(self._standing.cursor) >= order(until)
            finished = (stopped is not None or caught_up) and not (self._standing.pending or self._done)
            if finished or (stopped is not None and now - stopped > self._limits.patience):
                return
            seconds = IDLE_S
            try:
                if worker is not None:
                    await worker.start()
                seconds = await self._round(reading=stopped is None and not caught_up)
                if self._away:
                    self._tell(None)
                self._away = False
            except Away as error:
                seconds = AWAY_S
                if not self._away:
                    self._tell(error)
                self._away = True
            if stopped is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await over.wait()
            else:
                await asyncio.sleep(seconds)

    async def _begin(self) -> str | None:
        """Take up where the last mirror ended, or begin anew. The entry at which it has caught up, or None."""
        await self._source.there()
        last = await self._source.last()
        self._standing = await self._journal.standing()
        self.resumed = bool(self._standing.cursor)
        if not self.resumed:
            self._standing.cursor = {"now": last, "start": START}.get(self._limits.begin, self._limits.begin)
            await self._journal.note(self._standing.cursor, None, {})
        return last if self._limits.caught_up else None

    async def _round(self, *, reading: bool) -> float:
        """Read, replay, compare. The seconds until the next round."""
        read = entries = 0
        if reading and len(self._standing.pending) < AHEAD:
            entries, read = await self._read()
        await self._replay()
        await self._note_done()
        await self._compare()
        return pause(entries, read, self._limits.rate)

    async def _read(self) -> tuple[int, int]:
        """Read on. How many entries came, and how many jobs were read (a second look, at their end, is not counted)."""
        standing = self._standing
        page = await self._source.after(standing.cursor, standing.position)
        self._at_end = len(page.entries) < ENTRIES
        if not page.entries:
            standing.position = page.position
            return 0, 0
        entries = page.entries
        told = batch(entries, self._limits.share, self._hand.started)
        needed = [job for job in told.jobs if job not in self._hand]
        inputs = await self._source.inputs(needed)
        if missing := set(needed[len(inputs) :]):  # too much data for one round
            entries = before(entries, missing)
            told = batch(entries, self._limits.share, self._hand.started)
        marks = await self._source.marks([finish.job for finish in told.finishes])
        position = None if page.position is None else page.position - (len(page.entries) - len(entries))
        unread: list[Unread] = []
        pairs = dict(self._pairs(told, inputs, marks, unread))
        cursor = entries[-1].id
        await self._journal.note(cursor, position, pairs)
        # From here on it is noted: what comes before may have to be done again.
        standing.cursor, standing.position = cursor, position
        for name, (pair, given) in pairs.items():
            standing.pending[name], standing.todo[name] = pair, given
        self._hand.take(
            {job: given for job, given in inputs.items() if isinstance(given, Input) and job in told.coming}
        )
        self._hand.begun(told.started, told.again & told.coming)
        for finish in told.finishes:
            if finish.job not in told.coming:
                self._hand.let_go(finish.job)
        self.counts.entries += len(entries)
        self.counts.replayed += len(pairs)
        if page.gap is not None:
            self.counts.gaps += 1
            self.counts.trimmed += page.gap.entries or 0
            self._tell(page.gap)
        for job in unread:
            self._unread(job)
        return len(page.entries), len(inputs)

    def _pairs(
        self, told: Batch, inputs: dict[str, Input | str], marks: dict[str, Marks], unread: list[Unread]
    ) -> Iterator[tuple[str, tuple[Pair, Input]]]:
        for finish in told.finishes:
            given = self._hand.given(finish.job) or inputs.get(finish.job, "it was removed before it could be read")
            if isinstance(given, str):
                unread.append(Unread(finish.job, given))
                continue
            again = finish.job in told.again or finish.job in self._hand.again
            end = ended(finish, marks[finish.job], again=again)
            name = replay(finish.entry, self._standing.generation)
            yield name, (Pair(name, finish.job, given.name, end), given)

    def _unread(self, job: Unread) -> None:
        self.counts.unread[job.why] += 1
        self._tell(job)

    async def _replay(self) -> None:
        todo = dict(islice(self._standing.todo.items(), ENTRIES))
        if todo:
            await self._adder.add(todo)
            await self._journal.added(todo)
            for added in todo:
                del self._standing.todo[added]

    async def _compare(self) -> None:
        """Look at some of the replays, round and round, and judge those that have ended."""
        pending = self._standing.pending
        waiting = [name for name in pending if name not in self._standing.todo]
        self._from = self._from if self._from < len(waiting) else 0
        looked = waiting[self._from : self._from + LOOKED]
        if not looked:
            return
        ends = await self._journal.ends(looked)
        self._from += len(looked) - len(ends)
        for name, end in ends.items():
            self._judge(pending.pop(name), end)
            self._done.append(name)
        await self._note_done()

    async def _note_done(self) -> None:
        """Told first, noted then: a mirror that is killed between the two tells again, and misses nothing."""
        if self._done:
            await self._journal.compared(self._done)
            self._done.clear()

    def _judge(self, pair: Pair, end: End | None) -> None:
        if end is None:
            self._unread(Unread(pair.job, "its replay is not in the shadow queue any more"))
            return
        self.counts.compared += 1
        found = list(divergences(pair, end, self._limits.ignored))
        self.counts.divergent += any(divergence.counts for divergence in found)
        self.counts.slower += any(not divergence.counts for divergence in found)
        for divergence in found:
            self.counts.found[divergence.what] += 1
            self._tell(divergence)


def pause(entries: int, jobs: int, rate: float) -> float:
    """Seconds until the next round: as many as the jobs that were read may take, and some where the stream is at its
    end."""
    return max(jobs / rate, 0.0 if entries >= ENTRIES else IDLE_S)


def ended(finish: Finish, marks: Marks, *, again: bool) -> End:
    """A job's end: outcome and value are the stream's, the rest its hash's. Of a job that was taken up `again` the
    attempts count on, and so are not compared; nor is anything of a hash that tells of a later end."""
    if marks.at - ms_of(finish.entry) > LATER_MS:
        return End(finish.outcome, finish.value, None, finish.ms)
    ms = finish.ms if marks.ms is None else marks.ms
    return End(finish.outcome, finish.value, None if again else marks.attempts, ms)
