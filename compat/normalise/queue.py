"""One queue of a capture as a tree: each kind of key has its rule, and each rule says what stays checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from compat.model.capture import Capture, Key
from compat.model.history import History
from compat.model.scenario import Scenario, Throw
from compat.normalise.instants import INSTANT, Window
from compat.wire.layout import (
    BY_TIME,
    DELAYED_FACTOR,
    EVENT_JSON,
    INSTANTS,
    JOB_FIELDS,
    PRIORITY_FACTOR,
    TOKEN,
    Place,
    read,
)

_STALLED_INTERVAL = 30_000  # ms, the default


class QueueView:
    """The keys of one queue at one capture, and how they are told."""

    def __init__(
        self,
        queue: str,
        keys: Mapping[Place, Key],
        scenario: Scenario,
        history: History,
        shot: Capture,
        window: Window,
    ) -> None:
        self._queue, self._keys, self._scenario, self._history = queue, keys, scenario, history
        self._shot, self._window = shot, window
        self._names = {label.id: name for name, label in history.labels.items() if label.queue == queue}
        self._explicit = self._explicit_times()
        self._delays = self._known_delays()

    def tree(self) -> dict[str, Any]:
        """`{key: …, jobs: {id: {field: …}}}`."""
        tree: dict[str, Any] = {}
        jobs: dict[str, dict[str, Any]] = {}
        for place, key in self._keys.items():
            if place.job is None:
                tree[place.suffix] = self._queue_key(place.suffix, key)
            elif place.part:
                jobs.setdefault(place.job, {})[place.part] = self._job_part(place, key)
            else:
                jobs.setdefault(place.job, {}).update(self._job(place.job, key))
        if jobs:
            tree["jobs"] = jobs
        return tree

    # --- keys of the queue -------------------------------------------------------------------------------------------

    def _queue_key(self, suffix: str, key: Key) -> Any:
        match suffix:
            case "meta":
                return {field: self._meta(field, value) for field, value in key.fields.items()}
            case "events":
                return self._events(key)
            case "delayed":
                due = [[member, self._due(score / DELAYED_FACTOR, member)] for member, score in key.scores]
                # Where chance decides a delay it decides the order too.
                return sorted(due, key=str) if self._scenario.ranges else due
            case "prioritized":
                return [[m, int(s // PRIORITY_FACTOR), int(s % PRIORITY_FACTOR)] for m, s in key.scores]
            case "marker":
                return self._marker(key)
            case "stalled-check" | "limiter":
                return self._expiring(suffix, key)
            case "stalled" | "pc":
                # Who swept or popped last decides these while a worker is at work; then only the form is compared.
                return (list(key.items) or key.text) if self._shot.exact else f"<a {key.type}>"
        if suffix in BY_TIME:
            # Members that ended in one ms stand in the order of their ids: the events tell the order instead.
            return {member: self._finished(member, score) for member, score in key.scores}
        return self._plain(key)

    def _plain(self, key: Key) -> Any:
        """As stored; an expiry is visible as such."""
        value: Any
        match key.type:
            case "string":
                value = self._text(key.text)
            case "list":
                value = [self._text(item) for item in key.items]
            case "set":
                value = sorted(self._text(item) for item in key.items)
            case "zset":
                value = {self._text(member): self._window.rename(int(score)) for member, score in key.scores}
            case "hash":
                value = {field: self._text(text) for field, text in key.fields.items()}
            case "stream":
                value = [dict(entry.fields) for entry in key.entries]
        return value if key.ttl_ms is None else {"value": value, "expires": True}

    def _text(self, text: str) -> str:
        return text.replace(self._shot.prefix, "<prefix>")

    def _meta(self, field: str, value: str) -> str:
        if field == "version":
            claims = {s.meta_version or f"{s.name}:{s.version}" for s in self._history.sides.values()}
            return "<claimed>" if value in claims else value
        return value

    def _marker(self, key: Key) -> dict[str, Any]:
        """The base member only where no worker could have popped it between; the delay's is a due time."""
        told: dict[str, Any] = {}
        for member, score in key.scores:
            if member == "0" and not self._shot.exact:
                continue
            told[member] = int(score) if member == "0" else self._due(score, None)
        return told

    def _due(self, ms: float, job: str | None) -> str | float:
        """A due time; `job` None is the earliest of all. An explicit due time of the scenario's stays as it is."""
        if int(ms) in self._explicit:
            return int(ms)
        whole = float(int(ms))
        names = [self._names.get(job)] if job is not None else list(self._names.values())
        for name in names:
            bounds = self._scenario.ranges.get(f"{name}.delay")
            if bounds is not None:
                return self._window.due(whole, self._delays, bounds)
        return self._window.due(whole, self._delays)

    def _expiring(self, suffix: str, key: Key) -> str:
        longest = max(
            (int(spec.opts.get("stalledInterval", _STALLED_INTERVAL)) for spec in self._scenario.objects.values()),
            default=_STALLED_INTERVAL,
        )
        fits = key.ttl_ms is not None and (suffix == "limiter" or 0 < key.ttl_ms <= longest)
        value: int | str = int(key.text) if key.text.isdigit() else f"<not a number: {key.text}>"
        return f"{self._window.rename(value)}, {'expires in time' if fits else f'expires in {key.ttl_ms} ms'}"

    def _finished(self, job: str, score: float) -> str | int:
        field = "finishedOn"
        mine = next((key.fields for place, key in self._keys.items() if place.job == job and not place.part), {})
        if mine.get(field) == str(int(score)):
            return f"<{field}>"
        return self._window.rename(int(score))

    # --- events ------------------------------------------------------------------------------------------------------

    def _events(self, key: Key) -> Any:
        told = [self._event(dict(entry.fields)) for entry in key.entries]
        if self._scenario.order == "total":
            return told
        by_job: dict[str, list[Any]] = {}
        for entry in told:
            by_job.setdefault(entry.get("jobId", "<queue>"), []).append(entry)
        # Without an order between jobs `drained` may come once or for each.
        queue = {event["event"] for event in by_job.pop("<queue>", [])}
        return {**by_job, "<queue>": sorted(queue)}

    def _event(self, fields: dict[str, str]) -> dict[str, Any]:
        event = fields.get("event", "")
        told: dict[str, Any] = {}
        for name, value in fields.items():
            codec = EVENT_JSON.get((event, name))
            if codec is not None:
                told[name], told[f"{name}.bytes"] = read(codec, value), value
            elif (event, name) == ("delayed", "delay"):
                told[name] = self._due(float(value), fields.get("jobId")) if _NUMBER.fullmatch(value) else value
            else:
                told[name] = self._text(value)
        return told

    # --- jobs --------------------------------------------------------------------------------------------------------

    def _job(self, job: str, key: Key) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for field, text in key.fields.items():
            codec = JOB_FIELDS.get(field, "raw")
            value = read(codec, text)
            if field in INSTANTS:
                value = self._window.rename(value)
            elif field == "delay":
                value = self._until_explicit(self._ranged(job, field, value))
            elif field == "opts" and isinstance(value, dict):
                value = {
                    k: (self._window.rename(v) if k in ("timestamp", "prevMillis") else v) for k, v in value.items()
                }
            elif codec == "raw":
                value = self._text(value)
            told[field] = value
            if codec == "json":
                told[f"{field}.bytes"] = text
        return told

    def _ranged(self, job: str, field: str, value: Any) -> Any:
        bounds = self._scenario.ranges.get(f"{self._names.get(job)}.{field}")
        if bounds is None or not isinstance(value, int):
            return value
        low, high = bounds
        return f"<{low:g} to {high:g}>" if low <= value <= high else value

    def _until_explicit(self, delay: Any) -> Any:
        """A delay that a client computed from a due time of the scenario's: that time less an instant."""
        for due in self._explicit:
            if isinstance(delay, int) and self._window.holds(due - delay):
                return f"{due}-{INSTANT}"
        return delay

    def _job_part(self, place: Place, key: Key) -> Any:
        if place.part != "lock":
            return self._plain(key)
        attempt = next(
            (a for a in reversed(self._history.attempts) if a.token == key.text and a.job == place.job), None
        )
        durations = [int(spec.opts.get("lockDuration", 30_000)) for spec in self._scenario.objects.values()]
        durations += [a.extend_lock for r in self._scenario.program for a in r.do if isinstance(a.extend_lock, int)]
        durations += [s.call.args["duration"] for s in self._scenario.steps if s.call and "duration" in s.call.args]
        fits = key.ttl_ms is not None and 0 < key.ttl_ms <= max(durations)
        return {
            "holder": attempt.worker if attempt is not None else f"<nobody: {key.text}>",
            "form": "<uuid>:<n>" if TOKEN.fullmatch(key.text) else "<other>",
            "expires": "in time" if fits else f"in {key.ttl_ms} ms",
        }

    def _known_delays(self) -> frozenset[float]:
        """Delays that this queue's jobs were given: by their hash, their options, their backoff, or a call."""
        found: set[float] = set()
        for place, key in self._keys.items():
            if place.job is None or place.part:
                continue
            opts = read("cjson", key.fields.get("opts", "{}"))
            options = opts if isinstance(opts, dict) else {}
            found |= _numbers(float(key.fields["delay"]) if _NUMBER.fullmatch(key.fields.get("delay", "")) else None)
            found |= _numbers(options.get("delay"))
            backoff = options.get("backoff")
            if isinstance(backoff, dict):
                found |= {delay * 2**n for delay in _numbers(backoff.get("delay")) for n in range(10)}
        for step in self._scenario.steps:
            if step.call is not None:
                found |= _numbers(step.call.args.get("delay"))
            jobs = [step.add] if step.add is not None else list(step.bulk.jobs) if step.bulk is not None else []
            for job in jobs:
                found |= _numbers(job.opts.get("delay") if isinstance(job.opts, dict) else None)
        for rule in self._scenario.program:
            if isinstance(rule.then.throw, Throw):
                found |= _numbers(rule.then.throw.ms)
        for spec in self._scenario.objects.values():
            for delays in (spec.opts.get("$backoffStrategy") or {}).values():
                found |= {number for delay in delays for number in _numbers(delay)}
        return frozenset(found)

    def _explicit_times(self) -> frozenset[int]:
        """Times that the scenario itself writes down: they are compared as they are."""
        return frozenset(
            step.call.args["timestamp"]
            for step in self._scenario.steps
            if step.call is not None and isinstance(step.call.args.get("timestamp"), int)
        )


_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def _numbers(value: object) -> set[float]:
    return {value} if isinstance(value, (int, float)) and not isinstance(value, bool) else set()


__all__ = ["INSTANT", "QueueView"]
