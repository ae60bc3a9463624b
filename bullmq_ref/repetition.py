"""When a job comes again: how the options of schedulers and repeatable jobs lead from one slot to the next."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bullmq_ref import clock
from bullmq_ref.cron import Cron, CronError
from bullmq_ref.errors import Invalid
from bullmq_ref.jsjson import Undefined, epoch_ms
from bullmq_ref.zones import zone

#: Called with (ms after which the slot must lie, the repeat options with Node's names, the job's name); returns ms, or
#: None when nothing comes any more. May be async. Node's `settings.repeatStrategy`.
RepeatStrategy = Callable[[float, Mapping[str, Any], str], Awaitable[float | None] | float | None]


def ms(date: Any) -> float:
    """The ms of a date: a number, an ISO text (the machine's zone where it has a time and names none), a datetime.

    Raises Invalid for anything else.
    """
    if isinstance(date, bool) or not isinstance(date, int | float | str | datetime):
        raise Invalid(f"A date must be ms, ISO text or a datetime, got {date!r}", field="date")
    if isinstance(date, int | float):
        return date
    if isinstance(date, str):
        return ms(_read(date))
    return epoch_ms(date)


def _read(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no date: expected ISO text such as 2030-01-31T08:00:00Z", field="date") from None
    return found.replace(tzinfo=UTC) if "T" not in text and found.tzinfo is None and len(text) == 10 else found


def dated(repeat: Mapping[str, Any]) -> dict[str, Any]:
    """Repeat options with their dates in ms, as they are stored."""
    return {name: ms(value) if name in ("startDate", "endDate") and value else value for name, value in repeat.items()}


def given(repeat: Mapping[str, Any]) -> dict[str, Any]:
    """Repeat options as they go on to the next slot: `immediately` counts once."""
    return {name: value for name, value in repeat.items() if name != "immediately" and not isinstance(value, Undefined)}


def iteration(repeat: Mapping[str, Any]) -> int | None:
    """The number of the job to come, from 1; None when the limit or the end is reached."""
    number = int(repeat.get("count") or 0) + 1
    limit, end = repeat.get("limit"), repeat.get("endDate")
    if limit is not None and number > limit:
        return None
    return None if end and clock.now() > ms(end) else number


def check_end(repeat: Mapping[str, Any]) -> None:
    """Raise Invalid when the end is past already."""
    if (end := repeat.get("endDate")) and ms(end) < clock.now():
        raise Invalid("End date must be greater than current timestamp", symbol="EndDatePast", field="endDate")


def check_one(repeat: Mapping[str, Any]) -> None:
    """Raise Invalid when both of `pattern` and `every` are given."""
    if repeat.get("pattern") and repeat.get("every"):
        text = "Both .pattern and .every options are defined for this repeatable job"
        raise Invalid(text, symbol="PatternAndEvery", field="every")


def next_in_pattern(after: float, repeat: Mapping[str, Any], _name: str = "") -> float | None:
    """The first slot of `pattern` (in `tz`) after `after` and `startDate`, none after `endDate`; now for `immediately`.

    Raises Invalid for a pattern that is none.
    """
    pattern, start, end = repeat.get("pattern"), repeat.get("startDate"), repeat.get("endDate")
    since = max(after, ms(start)) if start else after
    try:
        cron = Cron.parse("undefined" if pattern is None else str(pattern))
        tz = "UTC" if repeat.get("utc") else repeat.get("tz")
        zone(tz)  # an unknown one is refused even where it is not needed
        if repeat.get("immediately"):
            return clock.now()
        until = int(ms(end)) if end else None
        return _search(cron, int(since), tz, until)
    except ValueError as error:
        raise Invalid(str(error), symbol="CronInvalid", field="pattern") from None


def _search(cron: Cron, since: int, tz: str | None, until: int | None) -> int | None:
    try:
        return cron.next(since, tz, until=until)
    except CronError:
        return None


def next_repeat(after: float, repeat: Mapping[str, Any], _name: str = "") -> float | None:
    """A repeatable job's next slot: the next multiple of `every` (the last one, for `immediately`), or by `pattern`.

    Raises Invalid.
    """
    check_one(repeat)
    if every := repeat.get("every"):
        before: float = after // every * every
        return before if repeat.get("immediately") else before + every
    return next_in_pattern(after, repeat)


async def ask(strategy: RepeatStrategy, after: float, repeat: Mapping[str, Any], name: str) -> float | None:
    """What a strategy answers, awaited if need be."""
    answer = strategy(after, repeat, name)
    return await answer if inspect.isawaitable(answer) else answer
