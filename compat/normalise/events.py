"""Rules for a queue's stream of events, the due times that its `delayed` events tell among them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from compat.model.capture import StreamEntry
from compat.normalise.answers import about, views
from compat.normalise.canonical import Place
from compat.normalise.clock import INSTANT
from compat.normalise.names import stream_ms
from compat.normalise.scene import Scene, maps, range_name
from compat.normalise.text import json_text, number
from compat.wire.events import event_codec
from compat.wire.fields import Codec

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,15})(\.[0-9]*[1-9])?")  # as JavaScript and Lua write it
_LONGEST_RETRY = 16  # doublings of an exponential backoff that are thought of


def events(scene: Scene) -> Iterator[tuple[Place, Any]]:
    """The events since the capture before, in order, each with its fields by name; by job where the scenario says so.
    Where not all that stood there before still do, `events.kept` tells how many: a stream may be trimmed.

    Stream ids are positions. Times are named as `dues` says. The texts that clients wrote, and the order of the fields,
    are compared besides, as `events.bytes`. Nothing but `events` leaves anything out: an event stands in the first
    capture that follows it, so that a difference is told once.
    """
    for queue in scene.live_queues:
        entries = scene.entries(queue)
        named = dict(zip((e.id for e in entries), (name for _, name in _named(scene, queue)), strict=True))
        last = _last(scene, queue)
        if lost := _before(scene, queue) - {entry.id for entry in entries}:
            kept: Any = len(_before(scene, queue)) - len(lost) if scene.scenario.order == "total" else "not all"
            yield Place(scene.capture.label, "events.kept", queue), kept
        fresh = [entry for entry in entries if stream_ms(entry.id) > last]
        told = [(entry, _event(scene, entry, named[entry.id])) for entry in fresh]
        place = Place(scene.capture.label, "events", queue)
        yield place, by_job(scene, told)
        texts = [(entry, _bytes(scene, entry)) for entry in fresh]
        yield Place(scene.capture.label, "events.bytes", queue), by_job(scene, texts)


def by_job(scene: Scene, told: list[tuple[StreamEntry, Any]]) -> Any:
    """In one sequence; or, for `order: per-job`, a sequence for each job.

    How often a queue is drained while workers run at once is chance: events that belong to no job count once there.
    """
    if scene.scenario.order == "total":
        return [value for _, value in told]
    jobs: dict[str, list[Any]] = {}
    for entry, value in told:
        sequence = jobs.setdefault(scene.names(_get(entry, "jobId")), [])
        if _get(entry, "jobId") or value not in sequence:
            sequence.append(value)
    return {**jobs, "": sorted(jobs.get("", []), key=str)}


def _before(scene: Scene, queue: str) -> set[str]:
    """The ids of the entries in the capture before."""
    before = scene.since.keys.get(f"{scene.capture.prefix}:{queue}:events") if scene.since is not None else None
    return {entry.id for entry in before.entries} if before is not None else set()


def _last(scene: Scene, queue: str) -> tuple[int, int]:
    return max(map(stream_ms, _before(scene, queue)), default=(-1, -1))


def _event(scene: Scene, entry: StreamEntry, due: str | None) -> Any:
    if len({name for name, _ in entry.fields}) != len(entry.fields):
        return [[scene.names(name), scene.names(text)] for name, text in entry.fields]
    event = _get(entry, "event")
    return {scene.names(name): _read(scene, event, name, text, due) for name, text in entry.fields}


def _read(scene: Scene, event: str, name: str, text: str, due: str | None) -> Any:
    match event_codec(event, name):
        case Codec.CLIENT_JSON:
            return json_text(text, scene.names, by_client=True)
        case Codec.INSTANT if due is not None:
            return due
        case _:
            return scene.names(text)


def _bytes(scene: Scene, entry: StreamEntry) -> str:
    event = _get(entry, "event")
    return " ".join(
        f"{name}={scene.names(text)}" if event_codec(event, name) is Codec.CLIENT_JSON else scene.names(name)
        for name, text in entry.fields
    )


# --- due times -------------------------------------------------------------------------------------------------------


def dues(scene: Scene, queue: str) -> list[tuple[int, str]]:
    """(due ms, its name) of every `delayed` event of a queue.

    The field holds due = clock + d, where neither is told apart. The clock was read after the job's event before (Redis
    dates both) and before this one; so due - d lies between those dates, for the d that was really used. Tried in turn:
    after an `added`, an iteration's slot is `<due>`, and d is any other job's own `delay` option, where the sum must be
    its timestamp's; else the scenario's range
    for this job; the hash's `delay`, where a capture shows it right after this event; the backoff that this attempt
    asks for; every other delay that the scenario writes down, the latest clock first. The name is `<timestamp>+d` or
    `<instant>+d`; when no d fits, the number itself. Sound: a right due time is never left literal; a wrong one gets a
    wrong name, or the right one only where the attempt itself lasted longer than the error is great.
    """
    return [(ms, name) for ms, name in _named(scene, queue) if name is not None and ms is not None]


def _named(scene: Scene, queue: str) -> list[tuple[int | None, str | None]]:
    found: list[tuple[int | None, str | None]] = []
    before: dict[str, StreamEntry] = {}
    tries: dict[str, int] = {}
    for entry in scene.entries(queue):
        job, event = _get(entry, "jobId"), _get(entry, "event")
        prior = before.get(job)
        if event == "delayed":
            text = _get(entry, "delay")
            decimal = _DECIMAL.fullmatch(text) is not None
            told = _Delayed(scene, queue, job, entry, prior, tries.get(job, 0))
            found.append((int(float(text)), told.name(text)) if decimal else (None, text))
        else:
            found.append((None, None))
        retried = event == "delayed" and prior is not None and _get(prior, "event") == "active"
        if retried or (event == "waiting" and _get(entry, "prev") == "active"):
            tries[job] = tries.get(job, 0) + 1
        before[job] = entry
    return found


class _Delayed:
    """One `delayed` event, with what was known of its job then."""

    def __init__(
        self, scene: Scene, queue: str, job: str, entry: StreamEntry, prior: StreamEntry | None, tries: int
    ) -> None:
        self.scene, self.queue, self.job, self.entry, self.tries = scene, queue, job, entry, tries
        self.prior = prior
        self.opts = _options(scene, queue, job)
        self.added = prior is not None and _get(prior, "event") == "added"

    def name(self, text: str) -> str:
        """The name of the due time that `text` writes down; `text` itself when there is none."""
        due = float(text)
        if self.added:
            return self._of_add(due) or text
        since, until = self._bounds()
        span = self.scene.span(self.queue, self.job)
        clock = self.scene.clock
        if span is not None and clock.within(max(since, due - span[1]), since, until) and due - span[0] >= since - 1:
            return f"{INSTANT}+{range_name(span)}"
        for delay in self._candidates():
            if (due - delay).is_integer() and clock.within(due - delay, since, until):
                return f"{INSTANT}+{delay:.17g}"
        return text

    def _of_add(self, due: float) -> str | None:
        if due == self.scene.names.slots.due(self.job, self.opts):
            return "<due>"
        delay = self.opts.get("delay")
        if not isinstance(delay, (int, float)):
            return None
        timestamp = _timestamp(self.scene, self.queue, self.job)
        since = due - delay if timestamp is None else timestamp
        if since + delay != due or not self.scene.clock.seen(since, self.scene.capture.at_ms):
            return None
        return f"<timestamp>+{self.scene.delay(self.queue, self.job, delay)}"

    def _bounds(self) -> tuple[float, float]:
        """Between which times (the harness's clock) a driver has read the clock for this event."""
        started, at = self.scene.clock.started, self.scene.capture.at_ms
        until = stream_ms(self.entry.id)[0]
        since = stream_ms(self.prior.id)[0] if self.prior is not None else started
        if self.prior is not None and _get(self.prior, "event") == "waiting-children":
            # A child of the same flow may have released it: its clock was read before the flow was stored.
            since = max([started, *(ms for ms in self.scene.history.step_ms if ms <= since)])
        if not started - 1 <= since <= until <= at + 1:  # Redis's clock is not ours: the whole cell it is
            return started, at
        if self.scene.scenario.order == "total":
            steps = zip(self.scene.scenario.steps, self.scene.history.step_ms, strict=False)
            since = max([since, *(ms for step, ms in steps if step.release is not None and ms <= until)])
        return since, until

    def _candidates(self) -> Iterator[float]:
        delay = self._shown()
        if delay is not None:
            yield delay
        backoff = self.opts.get("backoff")
        if isinstance(backoff, dict) and isinstance(backoff.get("delay"), (int, float)):
            factor = 2**self.tries if backoff.get("type") == "exponential" else 1
            yield round(factor * backoff["delay"])
        yield from sorted(_delays(self.scene))

    def _shown(self) -> float | None:
        """The hash's `delay` in a capture that follows this event and no later `delayed` event of the job."""
        for capture in self.scene.history.captures:
            key = capture.keys.get(f"{capture.prefix}:{self.queue}:events")
            hash_ = capture.keys.get(f"{capture.prefix}:{self.queue}:{self.job}")
            mine = [e for e in (key.entries if key else ()) if _get(e, "jobId") == self.job]
            last = next((e for e in reversed(mine) if _get(e, "event") == "delayed"), None)
            if last is not None and last.id == self.entry.id and hash_ is not None:
                try:
                    delay = float(hash_.fields.get("delay", ""))
                except ValueError:
                    return None
                if delay > 0:
                    return delay
        return None


def _options(scene: Scene, queue: str, job: str) -> dict[str, Any]:
    """A job's stored options, from any capture; else from the answer of the call that added it."""
    for capture in scene.history.captures:
        key = capture.keys.get(f"{capture.prefix}:{queue}:{job}")
        if key is not None and "opts" in key.fields:
            try:
                opts = json.loads(key.fields["opts"])
            except ValueError:
                continue
            return opts if isinstance(opts, dict) else {}
    for view in _views(scene, queue, job):
        opts = view.get("opts")
        if isinstance(opts, dict):
            return opts
    return {}


def _timestamp(scene: Scene, queue: str, job: str) -> int | None:
    for capture in scene.history.captures:
        key = capture.keys.get(f"{capture.prefix}:{queue}:{job}")
        text = key.fields.get("timestamp", "") if key is not None else ""
        if isinstance(ms := number(text), int):
            return ms
    for view in _views(scene, queue, job):
        if isinstance(view.get("timestamp"), int):
            return int(view["timestamp"])
    return None


def _views(scene: Scene, queue: str, job: str) -> Iterator[dict[str, Any]]:
    for outcome in scene.history.outcomes:
        if about(outcome, queue):
            yield from (view for view in views(outcome) if str(view.get("id")) == job)


def _delays(scene: Scene) -> set[float]:
    """Every delay that the scenario writes down, and the doublings of its backoffs."""
    found: set[float] = set()
    for holder in maps(msgspec.to_builtins((scene.scenario.steps, scene.scenario.program))):
        for name in ("delay", "ms", "backoff"):
            value = holder.get(name)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
                doublings = _LONGEST_RETRY if holder.get("type") == "exponential" else 1
                found |= {float(value * 2**n) for n in range(doublings)}
    return found


def _get(entry: StreamEntry, field: str) -> str:
    return next((text for name, text in entry.fields if name == field), "")
