"""The journal: where the mirror stands, what is to be replayed and what is to be compared, under its own prefix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from compat.capture import glob
from compat.mirror.model import End, Input, Outcome, Pair
from compat.mirror.source import marks, readable
from compat.watch.line import CannotLook, Line

PAGE: Final = 500  # of a hash, in one command


@dataclass
class Standing:
    """What a mirror goes on from; without a `cursor` there was none. `todo` are replays that may not have been added
    yet, `pending` those not compared."""

    cursor: str = ""
    position: int | None = None
    generation: int = 0
    todo: dict[str, Input] = field(default_factory=dict)
    pending: dict[str, Pair] = field(default_factory=dict)


class Journal:
    """Each method is one transaction, and may be made again when its answer was lost."""

    def __init__(self, line: Line, source: str) -> None:
        """`source` names what is mirrored: two mirrors of two queues keep apart what they note."""
        self._line = line
        base = f"{line.prefix}:mirror-of:{source.replace(':', '/')}"
        self._state, self._todo, self._pending = (
            f"{base}:{part}".encode("utf-8", "surrogateescape") for part in ("state", "todo", "pending")
        )

    async def standing(self) -> Standing:
        """What the last mirror left."""
        (state,) = await self._line.together([("HGETALL", self._state)])
        try:
            return Standing(
                state.get(b"cursor", b"").decode(),
                int(state[b"position"]) if state.get(b"position") else None,
                int(state.get(b"generation", 0)),
                {i: msgspec.json.decode(raw, type=Input) async for i, raw in self._all(self._todo)},
                {i: msgspec.json.decode(raw, type=Pair) async for i, raw in self._all(self._pending)},
            )
        except (AttributeError, ValueError, msgspec.MsgspecError) as error:
            raise CannotLook(f"{self._state.decode()} holds no journal of a mirror ({error}); see --restart") from None

    async def forget(self) -> None:
        """Remove all that was noted; what is replayed from now on is another generation."""
        words = [("UNLINK", self._todo, self._pending), ("HDEL", self._state, "cursor", "position")]
        await self._line.together([*words, ("HINCRBY", self._state, "generation", 1)], atomic=True)

    async def note(self, cursor: str, position: int | None, pairs: Mapping[str, tuple[Pair, Input]]) -> None:
        """All was read up to `cursor`; these jobs are to be replayed."""
        words: list[tuple[Any, ...]] = []
        if pairs:
            todo = ((replay, msgspec.json.encode(given)) for replay, (_, given) in pairs.items())
            pending = ((replay, msgspec.json.encode(pair)) for replay, (pair, _) in pairs.items())
            words += [("HSET", self._todo, *_flat(todo)), ("HSET", self._pending, *_flat(pending))]
        at = "" if position is None else str(position)
        await self._line.together([*words, ("HSET", self._state, "cursor", cursor, "position", at)], atomic=True)

    async def added(self, replays: Iterable[str]) -> None:
        """These were added to the shadow queue."""
        await self._line.together([("HDEL", self._todo, *replays)])

    async def compared(self, replays: Iterable[str]) -> None:
        """These are done with."""
        await self._line.together([("HDEL", self._pending, *replays)])

    async def ends(self, replays: Sequence[str]) -> dict[str, End | None]:
        """How replays ended, of those that have; None: it is not there any more."""
        fields = ("finishedOn", "returnvalue", "failedReason", "atm", "processedOn", "name")
        answers = await self._line.together([("HMGET", self._line.key(replay), *fields) for replay in replays])
        found: dict[str, End | None] = {}
        for replay, (finished, value, reason, made, begun, name) in zip(replays, answers, strict=True):
            if name is None:
                found[replay] = None
            elif finished is not None:
                outcome: Outcome = "failed" if reason is not None and value is None else "completed"
                last = marks([made, begun, finished])
                said = readable(reason if outcome == "failed" else value)
                found[replay] = End(outcome, said, last.attempts, last.ms)
        return found

    async def _all(self, key: bytes) -> Any:
        cursor = 0
        while True:
            ((cursor, found),) = await self._line.together([("HSCAN", key, cursor, "COUNT", PAGE)])
            for name, value in found.items():
                yield name.decode(), value
            if int(cursor) == 0:
                return


def acl(prefix: str) -> str:
    """The rules of a user who may do what the mirror does under its own prefix, its driver included."""
    kinds = ("read", "write", "scripting", "transaction", "blocking", "connection")
    topology = ("slots", "shards", "nodes")
    rules = (*(f"+@{kind}" for kind in kinds), "-@dangerous", "+info", *(f"+cluster|{name}" for name in topology))
    return " ".join((f"~{glob(prefix)}", "resetchannels", "-@all", *rules))


def _flat(pairs: Iterable[tuple[str, bytes]]) -> Iterable[str | bytes]:
    for pair in pairs:
        yield from pair
