"""The life of a job, as the stream tells it: which event may follow which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compat.model.capture import StreamEntry
from compat.wire.keys import iteration

BORN: Final = "not there"
UNKNOWN: Final = "unknown"  # the stream's beginning was trimmed

#: (event, `prev` or "") → the states it may follow, and the state it leads to (None: none of them).
_MOVES: Final[dict[tuple[str, str], tuple[frozenset[str], str | None]]] = {
    ("added", ""): (frozenset({BORN}), "added"),
    ("waiting", ""): (frozenset({"added"}), "waiting"),
    ("waiting", "delayed"): (frozenset({"delayed"}), "waiting"),
    ("waiting", "active"): (frozenset({"active"}), "waiting"),
    ("waiting", "failed"): (frozenset({"failed"}), "waiting"),
    ("waiting", "completed"): (frozenset({"completed"}), "waiting"),
    ("waiting", "waiting-children"): (frozenset({"waiting-children", "delayed"}), "waiting"),
    ("delayed", ""): (frozenset({"added", "active", "delayed", "waiting-children"}), "delayed"),
    ("waiting-children", ""): (frozenset({"added"}), "waiting-children"),
    ("waiting-children", "active"): (frozenset({"active"}), "waiting-children"),
    ("active", "waiting"): (frozenset({"waiting"}), "active"),
    ("completed", "active"): (frozenset({"active"}), "completed"),
    ("failed", "active"): (frozenset({"active"}), "failed"),
    ("retries-exhausted", ""): (frozenset({"failed"}), None),
    ("stalled", ""): (frozenset({"waiting"}), None),
}
_ENDS: Final = frozenset({"completed", "failed"})


def steps(entries: tuple[StreamEntry, ...], swept: bool) -> Iterator[tuple[str, str, str]]:
    """(job, its state before, complaint or "") for each event of a job, in order.

    An id may be added again once its job is finished (removal on completion emits nothing), removed, or `swept` away
    (`drain`, `clean` and `obliterate` emit nothing for a job), or when it is an iteration, which an upsert of its
    scheduler replaces without a word.
    """
    states: dict[str, str] = {}
    for entry in entries:
        row = dict(entry.fields)
        event, job, prev = row.get("event", ""), row.get("jobId", ""), row.get("prev", "")
        before = states.get(job, BORN)
        if event == "removed":
            states[job] = BORN
            continue
        move = _MOVES.get((event, prev))
        if move is None:
            known = any(name == event for name, _ in _MOVES)
            yield job, before, f"`{event}` with prev={prev!r}, which BullMQ never writes" if known else ""
            continue
        may_follow, leads_to = move
        fits = before in may_follow or before == UNKNOWN
        again = event == "added" and (before in _ENDS or swept or iteration(job) is not None)
        unseen = before == BORN and event != "added" and job not in states
        complaint = "" if fits or again or unseen else f"`{event}` when it was {before}"
        states[job] = leads_to or (UNKNOWN if unseen else before)
        yield job, before, complaint


def finishes(entries: tuple[StreamEntry, ...]) -> Iterator[tuple[str, str]]:
    """(job, event) for each second end of a job without a start between."""
    over: dict[str, str] = {}
    for entry in entries:
        row = dict(entry.fields)
        event, job = row.get("event", ""), row.get("jobId", "")
        if event in _ENDS:
            if job in over:
                yield job, event
            over[job] = event
        elif event in ("added", "active"):
            over.pop(job, None)
