"""Slots: the times at which schedulers and repeatable jobs come, as ids, scores and options tell them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from compat.model.history import History, Outcome
from compat.normalise.clock import INSTANT, Clock
from compat.wire.keys import iteration
from compat.wire.options import CLOCK_OPTIONS

_IN_TEXT = re.compile(r"repeat:(?P<key>[^\s\"]*?):(?P<slot>\d{13})(?!\d)")
Told = Callable[[float], bool]

_MAKERS = ("queue.upsertJobScheduler", "queue.add")


class Slots:
    """Tells slots that count from the clock from those that stand in the calendar.

    A slot is literal: a pattern's, a `startDate`, a multiple of `every`. But where a call makes a scheduler of `every`,
    or one that comes `immediately`, the first slot is the clock's time in that call: `<first>`, or `<first 2>` when
    a scheduler of that id is made a second time. The slots that follow are `<first>+d`, d in ms and exact. Stays
    checked: that the first lies in the window of its call, every distance, and every place in which a slot stands (the
    job's id, score, delay, `prevMillis`, the record). Sound, because a first slot is read from a clock of this machine.
    """

    def __init__(self, history: History) -> None:
        self._firsts: dict[str, list[tuple[int, int]]] = {}  # key → (slot, the interval that counts from it, or 0)
        self._since: dict[str, set[int]] = {}  # key → ms between an aligned slot and the call that came `immediately`
        clock = Clock(history)
        for outcome, key, slot, repeat in _made(history):
            firsts = self._firsts.setdefault(key, [])
            if clock.within(slot, outcome.sent_ms, outcome.answered_ms) and slot not in [ms for ms, _ in firsts]:
                every = repeat.get("every")
                firsts.append((slot, every if isinstance(every, int) else 0))
            offset = repeat.get("offset")
            if isinstance(offset, int) and clock.within(slot + offset, outcome.sent_ms, outcome.answered_ms):
                self._since.setdefault(key, set()).add(offset)

    def name(self, key: str, slot: int) -> str:
        """The name of a slot of the scheduler `key`; its digits when it is literal."""
        firsts = list(enumerate(self._firsts.get(key, []), 1))[::-1]
        whole = [(n, first) for n, (first, every) in firsts if slot == first or (every and (slot - first) % every == 0)]
        later = [(n, first) for n, (first, every) in firsts if every]
        for number, first in (*whole, *later):
            if slot >= first:
                name = "<first>" if number == 1 else f"<first {number}>"
                return name if slot == first else f"{name}+{slot - first}"
        return str(slot)

    def renamed(self, text: str) -> str:
        """`text` with the slots in its ids named."""
        if not self._firsts or "repeat:" not in text:
            return text
        return _IN_TEXT.sub(lambda id_: f"repeat:{id_['key']}:{self.name(id_['key'], int(id_['slot']))}", text)

    def phase(self, key: str, offset: Any, every: Any) -> Any:
        """A record's `offset`: `<phase of every>` when it is that of a first slot that the clock told, else itself. The
        record's own interval is tried first; an upsert with another one keeps the phase."""
        if isinstance(offset, int) and isinstance(every, int):
            for first, counted in self._firsts.get(key, []):
                for interval in dict.fromkeys((every, counted)):
                    if counted and interval and first % interval == offset:
                        return f"<phase of {interval}>"
        return offset

    def due(self, job: str, opts: dict[str, Any]) -> int | None:
        """When an iteration is due: its slot, and what its options put that off by. None for any other job."""
        found = iteration(job)
        if found is None:
            return None
        offset = _repeat(opts).get("offset")
        return found[1] + (offset if isinstance(offset, int) else 0)

    def delay(self, job: str, opts: dict[str, Any], delay: Any, told: Told) -> Any:
        """An iteration's `delay`: `<until due>` when it ends then, else itself. `told`: whether the clock has shown a
        time when the delay was counted."""
        due = self.due(job, opts)
        if due is None or isinstance(delay, bool) or not isinstance(delay, (int, float)):
            return delay
        return "<until due>" if delay > 0 and told(due - delay) else delay

    def options(self, job: str, opts: dict[str, Any], clock: Clock, at_ms: float, told: Told) -> dict[str, Any]:
        """A job's options: times from the clock are instants; of an iteration, slots and what counts from them."""
        found = iteration(job)
        named: dict[str, Any] = {}
        for name, value in opts.items():
            whole = isinstance(value, int) and not isinstance(value, bool)
            if found is not None and name == "prevMillis" and value == found[1]:
                value = "<slot>"
            elif found is not None and name == "delay":
                value = self.delay(job, opts, value, told)
            elif found is not None and name == "repeat" and isinstance(value, dict):
                since = self._since.get(found[0], set())
                told_off = isinstance(value.get("offset"), int) and value["offset"] in since
                value = {k: "<since the slot>" if k == "offset" and told_off else v for k, v in value.items()}
            elif name in CLOCK_OPTIONS and whole and clock.seen(value, at_ms):
                value = INSTANT
            named[name] = value
        return named


def _made(history: History) -> Iterator[tuple[Outcome, str, int, dict[str, Any]]]:
    """(call, key, slot, repeat options) of each job that a call made for a scheduler or a repeatable job."""
    for outcome in history.outcomes:
        view = outcome.result
        if outcome.method in _MAKERS and isinstance(view, dict):
            found = iteration(str(view.get("id")))
            opts = view.get("opts")
            if found is not None:
                yield outcome, *found, _repeat(opts if isinstance(opts, dict) else {})


def _repeat(opts: dict[str, Any]) -> dict[str, Any]:
    repeat = opts.get("repeat")
    return repeat if isinstance(repeat, dict) else {}
