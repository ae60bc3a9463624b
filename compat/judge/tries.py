"""Tries of one cell, made into one verdict: what passes only after it failed is flaky, and never passes the gate."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from compat.model.verdict import CellVerdict, Word

#: How a cell comes out that needs a person's look, and may be tried again.
TROUBLE: frozenset[Word] = frozenset({"fail", "invalid", "error", "stale", "flaky"})
_NAMED = 3  # checks


def together(tries: Sequence[CellVerdict]) -> CellVerdict:
    """The verdict on a cell that was tried as often as this, in this order; its seconds are those of all tries.

    One try is its own verdict. A cell that came out well in the end is `flaky`, with the differences of its first try;
    one that never did is what it was at last. Both keep all tries.
    """
    first, last = tries[0], tries[-1]
    if len(tries) == 1:
        return first
    stands = last if last.word in TROUBLE else structs.replace(first, word="flaky")
    if all((one.word, one.differences, one.reason) == (last.word, last.differences, last.reason) for one in tries):
        reason = f"{len(tries)} tries, each with the same outcome" + (f": {last.reason}" if last.reason else "")
    else:
        reason = "; ".join(f"try {number}: {_told(one)}" for number, one in enumerate(tries, 1))
    return structs.replace(stands, reason=reason, seconds=sum(one.seconds for one in tries), tries=tuple(tries))


def _told(verdict: CellVerdict) -> str:
    checks = list(dict.fromkeys(one.check.partition("#")[2] for one in verdict.differences))
    named = ", ".join(checks[:_NAMED]) + (f" and {len(checks) - _NAMED} more" if len(checks) > _NAMED else "")
    said = verdict.reason or (named if verdict.word in TROUBLE else "")
    return f"{verdict.word}, {said}" if said else verdict.word
