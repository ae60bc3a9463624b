"""The verdict on one job: what differs between its end in production and that of its replay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from compat.compare.difference import Inner, inner
from compat.mirror.model import Divergence, End, Pair, What
from compat.report.text import printable, shortened, spelled

#: Upper bounds of the classes of durations, in ms.
CLASSES: Final = ((10.0, "under 10 ms"), (100.0, "10 to 100 ms"), (1_000.0, "0.1 to 1 s"), (10_000.0, "1 to 10 s"))
LONGEST: Final = "over 10 s"
PLACES: Final = 5  # differences within one return value that are told
_STEP = re.compile(r"\[(?:'([^']*)'|\"([^\"]*)\"|(\d+)|(\*))\]")
_ANY: Final = object()


@dataclass(frozen=True)
class Ignored:
    """What is not compared: whole things by name, and places in the return value, each with all below it."""

    whole: frozenset[str] = frozenset()
    paths: tuple[tuple[Any, ...], ...] = ()

    @classmethod
    def of(cls, words: Sequence[str]) -> Ignored:
        """Read `attempts`, `duration`, …, and paths: `root['items'][*]['at']`. Raises ValueError with what it saw."""
        whole = frozenset(word for word in words if word in get_args(What))
        return cls(whole, tuple(_path(word) for word in words if word not in whole))

    def place(self, path: Sequence[str | int]) -> bool:
        return any(
            len(path) >= len(mine) and all(m is _ANY or m == p for m, p in zip(mine, path, strict=False))
            for mine in self.paths
        )


def divergences(pair: Pair, shadow: End, ignored: Ignored) -> Iterator[Divergence]:
    """All that differs. Of different outcomes nothing else is compared; what is not known differs from nothing."""
    production = pair.production

    def told(what: What, one: str, other: str, path: str = "") -> Iterator[Divergence]:
        if what not in ignored.whole:
            yield Divergence(pair.job, pair.name, pair.replay, what, one, other, path)

    if production.outcome != shadow.outcome:
        yield from told("outcome", _ended(production), _ended(shadow))
        return
    if production.outcome == "completed":
        places = [p for p in _apart(production.value, shadow.value) if not ignored.place(p.path)]
        for place in places[:PLACES]:
            yield from told("returnvalue", _side(place.oracle), _side(place.port), path_of(place.path))
        if len(places) > PLACES:
            more = f"{len(places) - PLACES} more places differ"
            yield from told("returnvalue", more, more, "root")
    elif production.value != shadow.value:
        yield from told("failedReason", spelled(production.value), spelled(shadow.value))
    if None not in (production.attempts, shadow.attempts) and production.attempts != shadow.attempts:
        yield from told("attempts", str(production.attempts), str(shadow.attempts))
    if production.ms is not None and shadow.ms is not None and not _alike(production.ms, shadow.ms):
        yield from told("duration", _lasted(production.ms), _lasted(shadow.ms))


def duration_class(ms: float) -> int:
    """0 for under 10 ms, and one more for each factor of ten, to 4 for over 10 s."""
    return sum(ms >= bound for bound, _ in CLASSES)


def path_of(path: Sequence[str | int]) -> str:
    """A path as it is written behind `--ignore`."""
    return "root" + "".join(f"[{step!r}]" for step in path)


def _path(word: str) -> tuple[Any, ...]:
    steps = [_ANY if star else int(number) if number else one or two for one, two, number, star in _STEP.findall(word)]
    if "root" + "".join(match[0] for match in _STEP.finditer(word)) != word:
        raise ValueError(
            f"{word!r} is none of {', '.join(get_args(What))}, and no path such as root['at'] or root['items'][*]['id']"
        )
    return tuple(steps)


def _alike(one: float, other: float) -> bool:
    """Neighbouring classes are alike: 9 ms and 11 ms are, 9 ms and 101 ms are not."""
    return abs(duration_class(one) - duration_class(other)) <= 1


def _lasted(ms: float) -> str:
    names = (*(name for _, name in CLASSES), LONGEST)
    return f"{names[duration_class(ms)]} ({ms:g} ms)"


def _ended(end: End) -> str:
    return f"{end.outcome} ({shortened(printable(end.value))})"


def _side(value: str | None) -> str:
    return "nothing" if value is None else shortened(printable(value))


def _apart(one: str, other: str) -> tuple[Inner, ...]:
    """Where two return values differ; of a text that is no JSON the text itself is the value."""
    return inner(_value(one), _value(other))


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_float=_number)
    except (ValueError, RecursionError):
        return text


def _number(text: str) -> float:
    """As JavaScript reads it: 1.0 is 1."""
    found = float(text)
    return int(found) if found.is_integer() and abs(found) < 2**53 else found
