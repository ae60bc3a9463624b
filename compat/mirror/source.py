"""Production, as the mirror reads it: its stream from an entry on, and the hashes of jobs. Nothing is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from compat.capture import glob, text
from compat.mirror.model import Gap, Input
from compat.mirror.tail import START, options, trimmed
from compat.model.capture import StreamEntry
from compat.watch.line import CannotLook, Line
from compat.watch.reading import read_entries

#: All that is ever sent to production, beside what logs in. A user with these needs nothing else.
COMMANDS: Final = ("multi", "exec", "exists", "hmget", "xrange", "xrevrange", "xinfo|stream")
ENTRIES: Final = 500  # of the stream, in one round
BYTES: Final = 16 * 2**20  # of data, in one round
LARGEST: Final = 8 * 2**20  # bytes of one job's data: a driver takes lines of twice as much
_TOGETHER = 50  # jobs in one pipeline
#: What drivers read as something else: values that JSON cannot hold.
_TAGS = tuple(f'"${name}"'.encode() for name in ("undefined", "number", "int", "bytes", "utf16"))
_CHILDREN = ("processed", "dependencies", "failed", "unsuccessful")
_INPUT = ("name", "data", "opts", "timestamp")


class Page(NamedTuple):
    """What came after an entry. `position`: how many entries had ever been added when the last of them was, or None."""

    entries: tuple[StreamEntry, ...]
    gap: Gap | None
    position: int | None


class Marks(NamedTuple):
    """What a hash says of its job's last attempt, and when (ms) that ended by its worker's clock."""

    attempts: int | None
    ms: float | None
    at: float = 0.0


class Source:
    """One queue of production; every method is one round trip, or a few."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def commands(self) -> int:
        """How many commands were sent."""
        return self._line.commands

    async def there(self) -> None:
        """Raises `CannotLook` where there is no such queue."""
        parts = ("meta", "id", "events", "wait", "completed", "failed")
        if not any(await self._line.together([("EXISTS", self._line.key(part)) for part in parts])):
            raise CannotLook(
                f"there is no queue {self._line.queue!r} under the prefix {self._line.prefix!r}: none of its keys "
                "exists; see --queue and --prefix"
            )

    async def last(self) -> str:
        """The id of the last entry."""
        (rows,) = await self._line.together([("XREVRANGE", self._line.key("events"), "+", "-", "COUNT", 1)])
        found = read_entries(rows)
        return found[0].id if found else START

    async def after(self, entry: str, position: int | None) -> Page:
        """At most `ENTRIES` entries after the one named, and the gap where that one is gone."""
        events = self._line.key("events")
        asked = [("XRANGE", events, entry, "+", "COUNT", ENTRIES + 1), ("XINFO", "STREAM", events)]
        rows, info = await self._line.together(asked, atomic=True)
        found = read_entries(rows)
        added, length, first = _facts(info)
        gap = None
        if found and found[0].id == entry:
            fresh = found[1:]
        else:
            fresh = found[:ENTRIES]
            if fresh and fresh[0].id == first:  # what came before it, and was not read, is trimmed
                gap = trimmed(entry, position, fresh, added, length)
                position = None if added is None else added - length
        if len(found) <= ENTRIES:
            return Page(fresh, gap, added)  # all that there is
        return Page(fresh, gap, None if position is None else position + len(fresh))

    async def inputs(self, jobs: Sequence[str]) -> dict[str, Input | str]:
        """What jobs are given, or why it cannot be known or replayed. Of the last ones nothing, where it would be too
        much at once."""
        found: dict[str, Input | str] = {}
        size = 0
        for start in range(0, len(jobs), _TOGETHER):
            some = jobs[start : start + _TOGETHER]
            words: list[tuple[Any, ...]] = []
            for job in some:
                words.append(("HMGET", self._line.key(job), *_INPUT))
                words.append(("EXISTS", *(self._line.key(f"{job}:{part}") for part in _CHILDREN)))
            answers = await self._line.together(words)
            for number, job in enumerate(some):
                given = found[job] = input_of(*answers[2 * number : 2 * number + 2])
                size += len(given.data) if isinstance(given, Input) else 0
            if size > BYTES:
                break
        return found

    async def marks(self, jobs: Sequence[str]) -> dict[str, Marks]:
        """What is left of jobs that have ended; nothing of those that are gone or under way again."""
        fields = ("atm", "processedOn", "finishedOn")
        words = [("HMGET", self._line.key(job), *fields) for job in jobs]
        answers = await self._line.together(words) if words else []
        return {job: marks(answer) for job, answer in zip(jobs, answers, strict=True)}


def acl(prefix: str, queue: str) -> str:
    """The rules of a user who may do what the mirror does in production, and nothing else."""
    return " ".join((f"~{glob(f'{prefix}:{queue}')}", "resetchannels", "-@all", *(f"+{name}" for name in COMMANDS)))


def readable(raw: bytes | None) -> str:
    """Bytes as text; what is no UTF-8 is replaced, and so differs from what it should have been."""
    return (raw or b"").decode("utf-8", "replace")


def marks(answer: Any) -> Marks:
    """`atm`, `processedOn` and `finishedOn` of a hash, read."""
    if not isinstance(answer, list) or answer[2] is None:
        return Marks(None, None)
    made, begun, ended = (_number(raw) for raw in answer)
    lasted = None if begun is None or ended is None else ended - begun
    return Marks(None if made is None else int(made), lasted, ended or 0.0)


def _number(raw: bytes | None) -> float | None:
    try:
        return None if raw is None else float(raw)
    except ValueError:
        return None


def _facts(info: Any) -> tuple[int | None, int, str]:
    """Entries ever added (None before Redis 7), how many are there, and the first one's id."""
    if not isinstance(info, (list, dict)):
        return None, 0, ""
    pairs = info if isinstance(info, dict) else dict(zip(info[::2], info[1::2], strict=True))
    facts = {text(name): value for name, value in pairs.items()}
    first = facts.get("first-entry")
    return facts.get("entries-added"), int(facts.get("length") or 0), text(first[0]) if first else ""


def input_of(fields: Any, children: Any) -> Input | str:
    """What a job is given, by the answers to HMGET and EXISTS; or why it is not replayed."""
    if not isinstance(fields, list) or fields[0] is None or fields[1] is None:
        return "it was removed before it could be read"
    if children:
        return "it has children, whose results a replay would not find"
    name, data, opts, timestamp = fields
    if len(data) > LARGEST:
        return f"its data is larger than {LARGEST:,} bytes"
    if any(tag in data for tag in _TAGS):
        return "its data holds a name that the driver protocol keeps for itself"
    try:
        stored = json.loads(opts or b"{}")
        json.loads(data, parse_constant=_refuse)
        given = Input(name.decode(), data.decode(), options(stored if isinstance(stored, dict) else {}))
    except (ValueError, RecursionError):
        return "its data or its options are no JSON"
    at = _number(timestamp)
    return given if at is None else Input(given.name, given.data, {**given.options, "timestamp": int(at)})


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
