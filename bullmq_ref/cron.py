"""Cron patterns, read and stepped through as cron-parser 4.9 does it, which is what Node's schedulers ask."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bullmq_ref.zones import Moment, zone

_STEPS = 10_000  # cron-parser gives up after as many
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # days of a month, leap years included

_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = {
    n: i for i, n in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_WEEKDAYS = {n: i for i, n in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}


class CronError(ValueError):
    """A pattern that is none, or that cannot go on."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a pattern: its bounds, the characters it allows, the names it knows, what it is when left out."""

    low: int
    high: int
    characters: str = r"[,*\d/-]+"
    names: dict[str, int] = field(default_factory=dict)
    default: str = "*"
    last: bool = False  # whether `L` may stand in it
    week: bool = False  # whether 7 is 0


_FIELDS = (
    _Field(0, 59, default="0"),
    _Field(0, 59),
    _Field(0, 23),
    _Field(1, 31, r"[?,*\dL/-]+", last=True),
    _Field(1, 12, names=_MONTHS),
    _Field(0, 7, r"[?,*\dL#/-]+", _WEEKDAYS, last=True, week=True),
)

#: A field's values: numbers ascending, repeated ones kept, then texts with an `L`.
Values = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Cron:
    """A pattern that has been read. `nth` is the occurrence of a weekday in its month (`5#2`), 0 for any."""

    second: Values
    minute: Values
    hour: Values
    day: Values
    month: Values
    weekday: Values
    nth: int = 0

    @classmethod
    def parse(cls, pattern: str) -> Cron:
        """Up to six fields, the last is always the weekday; those left out in front are `*`, seconds 0.

        Raises CronError.
        """
        atoms = _ALIASES.get(pattern, pattern).split()
        if len(atoms) > len(_FIELDS):
            raise CronError("Invalid cron expression")
        missing = len(_FIELDS) - len(atoms)
        texts = [*(known.default for known in _FIELDS[:missing]), *atoms]
        nth = 0
        if atoms:
            texts[-1], nth = _nth(texts[-1])
        second, minute, hour, day, month, weekday = map(_values, _FIELDS, texts)
        return cls(second, minute, hour, _possible_days(day, month), month, weekday, nth)

    def next(self, after: int, tz: str | None = None, *, until: int | None = None) -> int:
        """The first slot later than `after`, in ms, none of it after `until`.

        Raises CronError when there is none within reach, ValueError for an unknown time zone.
        """
        return _Search(self, Moment(after, zone(tz)), until).run()


def _nth(text: str) -> tuple[str, int]:
    """The weekday's text without `#n`, and n (0: no `#`)."""
    day, *numbers = text.split("#")
    if not numbers:
        return text, 0
    for character in ",/-":
        if character in text:
            raise CronError(
                f"Constraint error, invalid dayOfWeek `#` and `{character}` special characters are incompatible"
            )
    number = _number(numbers[-1])
    if len(numbers) > 1 or number is None or not 1 <= number <= 5:
        raise CronError("Constraint error, invalid dayOfWeek occurrence number (#)")
    return day, number


def _possible_days(days: Values, months: Values) -> Values:
    """The days that the only month named can have. Raises CronError when it has none of them."""
    if len(months) != 1:
        return days
    longest = _LONGEST[int(months[0]) - 1]
    if isinstance(days[0], int) and days[0] > longest:
        raise CronError("Invalid explicit day of month definition")
    return tuple(day for day in days if day == "L" or (isinstance(day, int) and day <= longest))


def _values(known: _Field, text: str) -> Values:
    """A field's values. Raises CronError."""
    if known.names:
        text = re.sub("[a-z]{3}", lambda found: str(_named(known, found[0].lower())), text, flags=re.IGNORECASE)
    if not re.fullmatch(known.characters, text, re.ASCII):
        raise CronError(f"Invalid characters, got value: {text}")
    text = text.replace("*" if "*" in text else "?", f"{known.low}-{known.high}")
    numbers: list[int] = []
    lasts: list[str] = []
    for atom in text.split(","):
        if not atom:
            raise CronError("Invalid list value format")
        value = _atom(known, atom)
        if isinstance(value, list):
            numbers += value
        elif isinstance(value, str):
            lasts.append(value)
        else:
            numbers.append(value)
    return (*sorted(numbers), *sorted(lasts))


def _named(known: _Field, name: str) -> int:
    if name not in known.names:
        raise CronError(f'Validation error, cannot resolve alias "{name}"')
    return known.names[name]


def _atom(known: _Field, atom: str) -> list[int] | int | str:
    """What one element of a list stands for: `1-5/2`, `5/2`, `*/2` as a range, else a number or a text with an `L`."""
    first, *steps = atom.split("/")
    if len(steps) > 1:
        raise CronError(f"Invalid repeat: {atom}")
    if not steps:
        return _range(known, atom, "1")
    return _range(known, f"{first}-{known.high}" if _number(first) is not None else first, steps[0])


def _range(known: _Field, text: str, step: str) -> list[int] | int | str:
    low_text, *rest = text.split("-")
    if not rest:
        return text if known.last and "L" in text else _scalar(known, text)
    if not low_text:
        if not rest[0]:
            raise CronError(f"Invalid range: {text}")
        return _scalar(known, text)
    low, high, every = _number(low_text), _number(rest[0]), _number(step)
    if low is None or high is None or low < known.low or high > known.high:
        raise _outside(known, f"range {low}-{high}")
    if low > high:
        raise CronError(f"Invalid range: {text}")
    if not every:
        raise CronError(f"Constraint error, cannot repeat at every {every} time.")
    return _stepped(known, low, high, every)


def _stepped(known: _Field, low: int, high: int, every: int) -> list[int]:
    """Every `every`-th number. A range of weekdays up to 7 begins with 0, which then shifts the steps that follow."""
    found = [0] if known.week and high % 7 == 0 else []
    count = every
    for number in range(low, high + 1):
        if number not in found and count % every == 0:
            found.append(number)
            count = 1
        else:
            count += 1
    return found


def _scalar(known: _Field, text: str) -> int:
    number = int(text) if re.fullmatch(r"-?\d+", text, re.ASCII) else None
    if number is None or not known.low <= number <= known.high:
        raise _outside(known, f"value {text}")
    return number % 7 if known.week else number


def _outside(known: _Field, what: str) -> CronError:
    return CronError(f"Constraint error, got {what} expected range {known.low}-{known.high}")


def _number(text: str) -> int | None:
    """JavaScript's `Number(text)` for a text of these characters: nothing is 0; None for NaN."""
    return 0 if not text else int(text) if text.isascii() and text.isdigit() else None


class _Search:
    """One search for a slot. It steps from the largest unit that does not match to the smallest, by the wall's clock.

    An hour that the clock leaves out in spring is made up for in the hour after it, an hour that it repeats in autumn
    runs once, both only when the pattern names hours; these are cron-parser's rules.
    """

    def __init__(self, cron: Cron, start: Moment, until: int | None) -> None:
        self.cron, self.start, self.until = cron, start, until
        self.at = start
        self.spring: int | None = None  # the hour after one that was left out
        self.autumn: int | None = None  # the hour that is being repeated

    def run(self) -> int:
        for _ in range(_STEPS - 1):
            if self.until is not None and self.until < self.at.ms:
                raise CronError("Out of the timespan range")
            if self._is_slot():
                return self.at.ms
        raise CronError("Invalid expression, loop limit exceeded")

    def _is_slot(self) -> bool:
        """Whether `at` is a slot; a step further if not."""
        wall, cron = self.at.wall, self.cron
        if not self._day_matches():
            self._to_date(self.at.next_day())
        elif wall.month not in cron.month:
            self._to_date(self.at.next_month())
        elif not self._hour_matches(wall.hour):
            pass  # it has stepped itself
        elif wall.minute not in cron.minute:
            self._to_time(self.at.next_minute())
        elif wall.second not in cron.second or self.at.ms == self.start.ms:
            self._to_time(self.at.next_second())
        else:
            return True
        return False

    def _hour_matches(self, hour: int) -> bool:
        named = self.cron.hour
        if hour not in named:
            if self.spring != hour:
                self.spring = None
                self._to_time(self.at.next_hour())
                return False
            if hour - 1 not in named:
                self.at = self.at.next_hour()
                return False
        elif self.autumn == hour:
            self.autumn = None
            self._to_time(self.at.next_hour())
            return False
        return True

    def _day_matches(self) -> bool:
        """Either of day and weekday where both are restricted, the restricted one where one is, and the nth week."""
        cron, wall = self.cron, self.at.wall
        by_day = wall.day in cron.day or (_has_last(cron.day) and self.at.next_day().wall.month != wall.month)
        by_weekday = self.at.weekday in cron.weekday or self._is_last_weekday()
        any_day = len(cron.day) >= _LONGEST[wall.month - 1]
        any_weekday = len(cron.weekday) == 8  # 0 to 7; only `*` and what amounts to it
        if not by_day and (not by_weekday or any_weekday):
            return False
        if any_day and not any_weekday and not by_weekday:
            return False
        return not cron.nth or self._is_nth(wall.day)

    def _is_last_weekday(self) -> bool:
        for text in self.cron.weekday:
            if isinstance(text, str):
                if not text[0].isdigit():
                    raise CronError(f"Invalid last weekday of the month expression: {text}")
                in_a_week = self.at.next_day(7).wall
                if int(text[0]) % 7 == self.at.weekday and in_a_week.month != self.at.wall.month:
                    return True
        return False

    def _is_nth(self, day: int) -> bool:
        return (day + 6) // 7 == self.cron.nth

    def _to_date(self, moved: Moment) -> None:
        """To another day; past a midnight that does not exist."""
        if moved.ms == self.at.ms and (moved.wall.minute, moved.wall.second) == (0, 0):
            moved = moved.next_hour()
        self.at = moved

    def _to_time(self, moved: Moment) -> None:
        """To a later time, noting where the wall's clock was changed on the way."""
        before, after = self.at.wall, moved.wall
        leap = after.hour - before.hour
        if len(self.cron.hour) != 24:
            if leap == 2:
                self.spring = after.hour
            elif leap == 0 and (after.minute, after.second) == (0, 0):
                self.autumn = after.hour
        self.at = moved


def _has_last(values: Values) -> bool:
    return any(isinstance(value, str) for value in values)
