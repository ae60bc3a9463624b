"""Work: a payload, and what becomes of a job with it, whoever works on it."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from compat.model.program import Action, End, Throw
from compat.protocol.messages import ProcessorAnswer

LONGEST_MS: Final = 20  # an attempt takes less
_TEXTS: Final = ("", "plain", "naïve café", "日本語", "😀 and 👩‍🔬", 'a "quoted"\nline\twith \\', "</script>", "\u2028")
_NUMBERS: Final = (0, 1, -1, 42, 0.1, -0.5, 1.5e-7, 1e21, 2**53 - 1, 1_700_000_000_000)
_MESSAGES: Final = ("no connection", "HTTP 503: é", 'quoted "reason"', "two\nlines", "😀")


@dataclass(frozen=True)
class Work:
    """What a processor is told for one payload.

    The first `failures` attempts fail with `message`, the next one returns `result`; there are `attempts` of them at
    most, one if it is `final` (an UnrecoverableError).
    """

    number: int
    data: Any
    opts: dict[str, Any]
    ms: int
    result: Any
    attempts: int = 1
    failures: int = 0
    message: str = ""
    final: bool = False
    do: tuple[Action, ...] = ()

    @property
    def calls(self) -> int:
        """How often a processor is called for a job that nothing befalls."""
        return 1 if self.final else min(self.failures + 1, self.attempts)

    @property
    def fails(self) -> bool:
        """Whether the job fails in the end."""
        return self.final or self.failures >= self.attempts

    @property
    def delayed(self) -> bool:
        """Whether a job of it waits before its first attempt because it was told to."""
        return "delay" in self.opts

    def answer(self, attempt: int) -> ProcessorAnswer:
        """What the attempt (from 1) shall do."""
        if attempt > self.failures:
            end = End(returned=self.result)
        else:
            end = End(throw=Throw("unrecoverable" if self.final else "error", self.message))
        return ProcessorAnswer(end, self.do)


def work(seed: int, number: int, plays: Collection[str]) -> Work:
    """The work of that number: the same for the same seed. `plays`: what both sides' processors can do beyond
    returning and raising, as `Capabilities.processor` says it."""
    draw = random.Random(f"{seed} {number}")
    fate = draw.random()
    attempts = draw.choice((2, 3, 4)) if fate < 0.25 else 1
    final = 0.25 <= fate < 0.28 and "unrecoverable" in plays
    failures = draw.randint(1, attempts) if attempts > 1 else int(0.25 <= fate < 0.30)
    return Work(
        number=number,
        data=_value(draw, 3),
        opts=_options(draw, attempts, lifo=draw.random() < 0.05),
        ms=draw.randrange(LONGEST_MS),
        result=_value(draw, 2),
        attempts=attempts,
        failures=failures,
        message=draw.choice(_MESSAGES) if failures else "",
        final=final,
        do=tuple(_actions(draw, plays)),
    )


def _options(draw: random.Random, attempts: int, *, lifo: bool) -> dict[str, Any]:
    opts: dict[str, Any] = {}
    if attempts > 1:
        opts |= {"attempts": attempts, "backoff": {"type": draw.choice(("fixed", "exponential")), "delay": 40}}
    if draw.random() < 0.15:
        opts["delay"] = draw.randint(20, 300)
    if draw.random() < 0.2:
        opts["priority"] = draw.randint(1, 3)
    elif lifo:
        opts["lifo"] = True
    return opts


def _actions(draw: random.Random, plays: Collection[str]) -> list[Action]:
    chosen = draw.random()
    do = []
    if chosen < 0.2 and "progress" in plays:
        do.append(Action(progress=draw.choice((50, {"done": 3, "of": 7}))))
    if chosen < 0.1 and "log" in plays:
        do.append(Action(log=draw.choice(_MESSAGES)))
    return do


def _value(draw: random.Random, depth: int) -> Any:
    """A JSON value: small most of the time, of many kinds, some kilobytes now and then."""
    kind = draw.random()
    if depth and kind < 0.5:
        return {f"k{n}": _value(draw, depth - 1) for n in range(draw.randint(0, 4))}
    if depth and kind < 0.6:
        return [_value(draw, depth - 1) for _ in range(draw.randint(0, 4))]
    if kind < 0.75:
        return draw.choice(_NUMBERS)
    if kind < 0.77:
        return "x" * draw.randint(2_000, 20_000)
    if kind < 0.85:
        return draw.choice((None, True, False))
    return draw.choice(_TEXTS)


@dataclass(frozen=True)
class Copy:
    """A job of a payload: the one that both sides may take, or its twin, for the side that did not finish that one."""

    number: int
    twin: bool

    @property
    def name(self) -> str:
        """The job's name: by it a job is known, whoever added it and whatever its id."""
        return f"{'twin' if self.twin else 'job'}-{self.number}"

    @classmethod
    def named(cls, name: str) -> Copy | None:
        """The copy of that name; None when it is no name of ours."""
        kind, _, digits = name.partition("-")
        if kind not in ("job", "twin") or not (digits.isascii() and digits.isdigit()):
            return None
        return cls(int(digits), kind == "twin")

    @classmethod
    def at(cls, place: int) -> Copy:
        """The copy with that number of its own."""
        return cls(place // 2, bool(place % 2))

    @property
    def place(self) -> int:
        """A number of its own."""
        return 2 * self.number + self.twin
