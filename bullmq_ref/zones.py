"""A moment as a clock on a wall shows it, with the arithmetic by which Node's cron steps through the calendar."""

from __future__ import annotations

import re
import time
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000  # ms

#: The offset from UTC in ms that is in force at a time in ms.
Zone = Callable[[int], int]

_EPOCH = datetime(1970, 1, 1)
_FIXED = re.compile(r"utc(?:([+-]\d{1,2})(?::(\d{2}))?)?", re.IGNORECASE)


@cache
def zone(name: str | None) -> Zone:
    """The zone of an IANA name in any case, `utc`, `utc+2`, `utc+5:30`; the machine's own for None and `local`.

    Raises ValueError for any other name.
    """
    if name is None or name.lower() in ("local", "system", "default"):
        return _machine
    if name.lower() == "gmt":
        return _fixed(0)
    if found := _FIXED.fullmatch(name):
        hours, minutes = int(found[1] or 0), int(found[2] or 0)
        return _fixed(hours * HOUR + (-minutes if (found[1] or "").startswith("-") else minutes) * MINUTE)
    known = next((n for n in available_timezones() if n.lower() == name.lower()), None)
    if known is None:
        raise ValueError(f"{name!r} is no time zone: expected an IANA name such as Europe/Berlin, or UTC+2")
    return _named(ZoneInfo(known))


def _machine(ms: int) -> int:
    return time.localtime(ms // SECOND).tm_gmtoff * SECOND


def _fixed(offset: int) -> Zone:
    return lambda _: offset


def _named(info: ZoneInfo) -> Zone:
    def offset(ms: int) -> int:
        shown = datetime.fromtimestamp(ms // SECOND, UTC).astimezone(info).utcoffset()
        return 0 if shown is None else round(shown.total_seconds()) * SECOND

    return offset


@dataclass(frozen=True, slots=True)
class Moment:
    """`ms` since the epoch, as seen in `zone`. Where the wall's clock leaves an hour out, a time in the gap is the one
    after it; where it repeats an hour, the offset that was in force before decides."""

    ms: int
    zone: Zone

    @property
    def wall(self) -> datetime:
        """What the clock on the wall shows."""
        return _EPOCH + timedelta(milliseconds=self._local)

    @property
    def weekday(self) -> int:
        """0 is Sunday."""
        return self.wall.isoweekday() % 7

    @property
    def _local(self) -> int:
        return self.ms + self.zone(self.ms)

    def next_month(self) -> Moment:
        """The first day of the next month, at midnight."""
        wall = self.wall
        years, before = divmod(wall.month, 12)
        year, month = wall.year + years, before + 1
        day = min(wall.day, monthrange(year, month)[1])
        moved = self._shown(_local_ms(wall.replace(year=year, month=month, day=day)))
        return moved._shown(_local_ms(datetime(year, month, 1)))

    def next_day(self, days: int = 1) -> Moment:
        """The midnight before this time of day in `days` days."""
        moved = self._shown(self._local + days * DAY)
        return moved._start_of(DAY)

    def next_hour(self) -> Moment:
        """The next full hour; always later than this."""
        moved = Moment(self.ms + HOUR, self.zone)._start_of(HOUR)
        return moved if moved.ms > self.ms else Moment(moved.ms + HOUR, self.zone)

    def next_minute(self) -> Moment:
        moved = Moment(self.ms + MINUTE, self.zone)._start_of(MINUTE)
        return moved if moved.ms >= self.ms else Moment(moved.ms + HOUR, self.zone)

    def next_second(self) -> Moment:
        moved = Moment(self.ms + SECOND, self.zone)._start_of(SECOND)
        return moved if moved.ms >= self.ms else Moment(moved.ms + HOUR, self.zone)

    def _start_of(self, unit: int) -> Moment:
        local = self._local
        return self._shown(local - local % unit)

    def _shown(self, local: int) -> Moment:
        """The moment at which the wall's clock shows `local` (ms since 1970 on the wall)."""
        offset = self.zone(self.ms)
        first = self.zone(local - offset)
        if first == offset:
            return Moment(local - offset, self.zone)
        second = self.zone(local - first)
        return Moment(local - (first if first == second else min(first, second)), self.zone)


def _local_ms(wall: datetime) -> int:
    return (wall - _EPOCH) // timedelta(milliseconds=1)
