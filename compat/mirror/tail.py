"""The tail of production's stream: which jobs a batch of entries tells of, and which of them ended."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from compat.mirror.model import Gap, Outcome
from compat.model.capture import StreamEntry

START: Final = "0-0"
#: An event after which a job's worker is yet to begin, or has just begun: what it is given can still be read.
_COMING: Final = frozenset({"added", "waiting", "active"})
_VALUE: Final = {"completed": "returnvalue", "failed": "failedReason"}
_ENDS: Final[dict[str, Outcome]] = {"completed": "completed", "failed": "failed"}


class Finish(NamedTuple):
    """A job's end, as the stream tells it. `ms` is the time since its last start, by the server's clock."""

    entry: str
    job: str
    outcome: Outcome
    value: str
    ms: float | None


class Batch(NamedTuple):
    """`jobs` are to be read, in the order in which they are told of; `coming` are those that have not ended in it;
    `started` says when (ms); `again` are jobs that had ended before and were taken up again, whose attempts go on
    counting."""

    jobs: tuple[str, ...]
    coming: frozenset[str]
    started: dict[str, float]
    finishes: tuple[Finish, ...]
    again: frozenset[str]


def batch(entries: Iterable[StreamEntry], share: float, started: dict[str, float]) -> Batch:
    """Read a batch. `started` are starts of jobs in earlier ones."""
    seen: dict[str, None] = {}
    coming: set[str] = set()
    starts: dict[str, float] = {}
    finishes: list[Finish] = []
    again: set[str] = set()
    for entry in entries:
        row = dict(entry.fields)
        event, job = row.get("event", ""), row.get("jobId", "")
        if not job or not sampled(job, share):
            continue
        seen[job] = None
        if event in _COMING:
            coming.add(job)
            if event == "active":
                starts[job] = ms_of(entry.id)
            if event == "waiting" and row.get("prev") in _ENDS:
                again.add(job)
        elif event in _ENDS:
            coming.discard(job)
            start = starts.pop(job, started.get(job))
            lasted = None if start is None else ms_of(entry.id) - start
            finishes.append(Finish(entry.id, job, _ENDS[event], row.get(_VALUE[event], ""), lasted))
        elif event == "removed" or (event == "delayed" and job not in starts):
            coming.discard(job)  # it is read when it comes
    wanted = coming | {finish.job for finish in finishes}
    return Batch(
        tuple(job for job in seen if job in wanted),
        frozenset(coming),
        {job: at for job, at in starts.items() if job in coming},
        tuple(finishes),
        frozenset(again),
    )


def replay(entry: str, generation: int) -> str:
    """The id of the replay of a job whose end is told by `entry`: the same whenever this end is read, and no other
    end's. A mirror that begins anew is the next `generation`, and replays all again."""
    return f"m{generation or ''}-{entry}"


def before(entries: tuple[StreamEntry, ...], jobs: Collection[str]) -> tuple[StreamEntry, ...]:
    """The entries before the first one of any of these jobs."""
    ends = (number for number, entry in enumerate(entries) if dict(entry.fields).get("jobId") in jobs)
    return entries[: next(ends, len(entries))]


def sampled(job: str, share: float) -> bool:
    """Whether a job is one of the `share` (0 to 1) that are mirrored: always the same ones."""
    return share >= 1 or zlib.crc32(job.encode("utf-8", "surrogateescape")) < share * 2**32


def ms_of(entry: str) -> float:
    """The server's clock when an entry was written."""
    return float(entry.partition("-")[0])


def order(entry: str) -> tuple[int, int]:
    """What entries' ids are compared by."""
    ms, _, number = entry.partition("-")
    return int(ms), int(number or 0)


def trimmed(
    after: str, position: int | None, entries: Sequence[StreamEntry], added: int | None, length: int
) -> Gap | None:
    """The gap between `after`, which is not there any more, and the first of the entries that are; None where nothing
    was missed. `position` is how many entries had ever been added when `after` was; `added` and `length` are now's."""
    if after == START or not entries:
        return None
    missed = None if position is None or added is None else added - length - position
    if missed == 0:
        return None
    # Fewer were added than had been before: it is another stream, and nobody knows what the last one told.
    return Gap(after, entries[0].id, None if missed is None or missed < 0 else missed)


def options(stored: dict[str, Any]) -> dict[str, Any]:
    """The options that a replay keeps: those that decide how often and how a job is tried again. What decides when it
    comes, beside whom and for how long it is kept is not part of what its processor does."""
    kept: dict[str, Any] = {}
    attempts, backoff = stored.get("attempts"), stored.get("backoff")
    if isinstance(attempts, int) and attempts > 0:
        kept["attempts"] = attempts
    if isinstance(backoff, (int, float)) or (isinstance(backoff, dict) and isinstance(backoff.get("type"), str)):
        kept["backoff"] = backoff
    return kept
