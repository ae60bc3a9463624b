"""Reading a queue without writing: what is asked, and the commands that are used."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from compat.capture import glob, text
from compat.model.capture import Key, StreamEntry
from compat.watch.line import Line
from compat.wire.states import LISTS, SORTED

#: All that is ever sent, beside what logs in. A user with these needs nothing else.
COMMANDS: Final = (
    *("multi", "exec", "scan", "exists", "get", "hgetall", "zscore", "zcard", "zrange"),
    *("llen", "lpos", "lrange", "xrange", "xrevrange"),
)
NEAR: Final = 1_000  # entries of a long list that are looked through, from either end
ACTIVE: Final = 10_000  # entries of `active` that are
_TOGETHER = 10  # jobs in one transaction


class Sizes(NamedTuple):
    """How many jobs there are in each state, and the queue's settings."""

    jobs: dict[str, int]
    meta: dict[str, str]


class Look(NamedTuple):
    """One job at one instant: the keys that are there, by the part of the name after the queue's; the lists and sorted
    sets hold this job's id alone. `settled`: it was found, or every place where it could stand was looked at;
    `thorough`: long lists, too."""

    id: str
    keys: dict[str, Key]
    settled: bool
    thorough: bool = False

    @property
    def fields(self) -> dict[str, str]:
        key = self.keys.get(self.id)
        return key.fields if key is not None else {}


class Reader(Line):
    """Reads one queue. Every method is one round trip or two, and of bounded cost; `commands` counts what was sent."""

    def __init__(self, url: str, prefix: str, queue: str) -> None:
        super().__init__(url, prefix, queue)
        self._cursor = 0
        self._draw = random.Random()

    def moved(self) -> None:
        self._cursor = 0  # each node has cursors of its own

    async def there(self) -> bool:
        """Whether anything of the queue is there."""
        parts = ("meta", "id", "events", *LISTS, *SORTED)
        return any(await self.together([("EXISTS", self.key(part)) for part in parts]))

    async def sizes(self) -> tuple[Sizes, list[str]]:
        """The queue's sizes and settings, and complaints about keys of the wrong type."""
        words = [("LLEN", self.key(state)) for state in LISTS] + [("ZCARD", self.key(state)) for state in SORTED]
        *counts, meta = await self.together([*words, ("HGETALL", self.key("meta"))])
        parts = (*LISTS, *SORTED, "meta")
        wrong = [part for part, answer in zip(parts, (*counts, meta), strict=True) if isinstance(answer, Exception)]
        jobs = {s: c for s, c in zip(parts, counts, strict=False) if not isinstance(c, Exception)}
        return Sizes(jobs, _fields(meta)), wrong

    async def some(self, sizes: Sizes, count: int) -> list[str]:
        """Ids of jobs: about `count` from random places of the states, larger ones no more often than small ones."""
        filled = [state for state, size in sizes.jobs.items() if size]
        if not filled:
            return []
        each = max(1, count // len(filled))
        asked: list[tuple[Any, ...]] = []
        for state in filled:
            first = self._draw.randrange(max(1, sizes.jobs[state] - each + 1))
            asked.append(("LRANGE" if state in LISTS else "ZRANGE", self.key(state), first, first + each - 1))
        answers = await self.together(asked)
        return [text(job) for answer in answers if isinstance(answer, list) for job in answer]

    async def keys(self, count: int) -> list[str]:
        """Names of the queue's keys, after its name: the next `count` places of the server's keys, round and round."""
        pattern = glob(f"{self.prefix}:{self.queue}").encode("utf-8", "surrogateescape")
        self._cursor, names = await self.ask(lambda r: r.scan(self._cursor, match=pattern, count=count))
        self.commands += 1
        start = len(self.key(""))
        return [text(name[start:]) for name in names]

    async def entries(self, after: str | None, count: int) -> tuple[StreamEntry, ...] | None:
        """Entries of the stream after the one named, at most `count`; the last ones where none is named. None: it is
        not there any more, so some may have been missed."""
        events = self.key("events")
        if after is None:
            (rows,) = await self.together([("XREVRANGE", events, "+", "-", "COUNT", count)])
            return read_entries(rows)[::-1]
        (rows,) = await self.together([("XRANGE", events, after, "+", "COUNT", count + 1)])
        found = read_entries(rows)
        return found[1:] if found and found[0].id == after else None

    async def looks(self, jobs: Sequence[str], *, thorough: bool = False) -> list[Look]:
        """Each job at one instant. `thorough` looks through lists of any length: it costs the server about 10 ms for
        each million entries and job."""
        found: list[Look] = []
        for start in range(0, len(jobs), _TOGETHER):
            batch = jobs[start : start + _TOGETHER]
            words = [("LLEN", self.key("wait")), ("LLEN", self.key("paused"))]
            asked = [self._about(job, thorough) for job in batch]
            answers = await self.together([*words, *(w for about in asked for w in about)], atomic=True)
            whole = thorough or all(isinstance(n, Exception) or n <= 2 * NEAR for n in answers[:2])
            each = len(asked[0])
            for number, job in enumerate(batch):
                at = 2 + number * each
                found.append(_look(job, answers[at : at + each], whole, thorough))
        return found

    def _about(self, job: str, thorough: bool) -> list[tuple[Any, ...]]:
        words: list[tuple[Any, ...]] = [("HGETALL", self.key(job)), ("GET", self.key(f"{job}:lock"))]
        member = job.encode("utf-8", "surrogateescape")
        words += [("ZSCORE", self.key(state), member) for state in SORTED]
        words.append(("LPOS", self.key("active"), member, "COUNT", 2, "MAXLEN", ACTIVE))
        far = 0 if thorough else NEAR
        for state in ("wait", "paused"):
            for end in (1, -1):
                words.append(("LPOS", self.key(state), member, "RANK", end, "COUNT", 2, "MAXLEN", far))
        return words


def acl(prefix: str, queue: str) -> str:
    """The rules of a user who may do what the watch does, and nothing else."""
    return " ".join((f"~{glob(f'{prefix}:{queue}')}", "resetchannels", "-@all", *(f"+{name}" for name in COMMANDS)))


def _fields(answer: Any) -> dict[str, str]:
    pairs = answer.items() if isinstance(answer, dict) else ()
    return {text(name): text(value) for name, value in pairs}


def read_entries(rows: Any) -> tuple[StreamEntry, ...]:
    """What XRANGE or XREVRANGE answered."""
    if not isinstance(rows, list):
        return ()
    found: list[StreamEntry] = []
    for entry_id, fields in rows:
        pairs = fields.items() if isinstance(fields, dict) else zip(fields[::2], fields[1::2], strict=True)
        found.append(StreamEntry(text(entry_id), tuple((text(f), text(v)) for f, v in pairs)))
    return tuple(found)


def _look(job: str, answers: Sequence[Any], whole: bool, thorough: bool) -> Look:
    fields, lock, *rest = answers
    scores, lists = rest[: len(SORTED)], rest[len(SORTED) :]
    keys: dict[str, Key] = {}
    if fields and not isinstance(fields, Exception):
        keys[job] = Key("hash", fields=_fields(fields))
    if lock is not None and not isinstance(lock, Exception):
        keys[f"{job}:lock"] = Key("string", text=text(lock))
    for state, score in zip(SORTED, scores, strict=True):
        if score is not None and not isinstance(score, Exception):
            keys[state] = Key("zset", scores=((job, float(score)),))
    places = {"active": lists[:1], "wait": lists[1:3], "paused": lists[3:5]}
    for state, answered in places.items():
        found = {place for answer in answered if isinstance(answer, list) for place in answer}
        if found:
            keys[state] = Key("list", items=(job,) * len(found))
    return Look(job, keys, whole or any(state in keys for state in (*LISTS, *SORTED)), thorough)
