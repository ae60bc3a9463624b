"""Rules for the keys of a job: its hash field by field, its lock, its logs, its children."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from compat.normalise.canonical import Place
from compat.normalise.names import form
from compat.normalise.queues import Placed, ttl
from compat.normalise.scene import Scene, shaped
from compat.normalise.text import json_text, number, walk
from compat.wire.fields import FIELDS, Codec
from compat.wire.keys import JOB_KEYS, iteration
from compat.wire.scores import printed

LOCK_DURATION = 30_000  # ms, a worker's default

_TOKEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:\d+")


def hashes(scene: Scene) -> Placed:
    """A job's hash, field by field, each by its one codec (`wire.fields`): raw texts as they are, JSON parsed, times as
    instants, stack traces as their number (their text is each language's own). A job's existence is a place of its own,
    so that a job that is missing is told once. For JSON that the client wrote, the text is compared besides, as
    `<field>.bytes`: equal meaning in other bytes is a matter of encoding.
    `job.id.form`: what an id that chance drew looks like, which no peer reads.
    """
    for address, key in scene.of("job"):
        queue, job = address.queue, address.id
        subject = scene.names(job)
        yield Place(scene.capture.label, "job", queue, subject), "exists"
        if subject.startswith("<uuid "):
            yield Place(scene.capture.label, "job.id.form", queue, subject), form(job)
        for field, text in key.fields.items():
            place = Place(scene.capture.label, f"job.{field}", queue, subject)
            yield place, _field(scene, queue, job, field, text)
            if FIELDS.get(field) is Codec.CLIENT_JSON:
                yield Place(scene.capture.label, f"job.{field}.bytes", queue, subject), scene.names(text)


def _field(scene: Scene, queue: str, job: str, field: str, text: str) -> Any:
    match FIELDS.get(field, Codec.RAW):
        case Codec.CLIENT_JSON:
            return json_text(text, scene.names, by_client=True)
        case Codec.REDIS_JSON:
            return _options(scene, queue, job, json_text(text, str, by_client=False))
        case Codec.TRACES:
            return traces(json_text(text, scene.names, by_client=True))
        case Codec.INSTANT if field == "timestamp":
            return scene.timestamp(queue, job, text)
        case Codec.INSTANT:
            return scene.clock.instant(text, scene.capture.at_ms)
        case Codec.NUMBER if field == "delay" and iteration(job) is not None and scene.span(queue, job) is None:
            opts = json_text(scene.job(queue, job).get("opts", ""), str, by_client=False)
            told = _told(scene, queue, job)
            return scene.names.slots.delay(job, opts if isinstance(opts, dict) else {}, number(text), told)
        case Codec.NUMBER:
            bounds = scene.span(queue, job) if field == "delay" else None
            value = number(text)
            return scene.delay(queue, job, value) if bounds is not None and isinstance(value, int) else value
        case _:
            return scene.names(text)


def _options(scene: Scene, queue: str, job: str, value: Any) -> Any:
    """Options that hold a time from the clock: an explicit one stays literal."""
    if isinstance(value, dict):
        at_ms, told = scene.capture.at_ms, _told(scene, queue, job)
        value = scene.names.slots.options(job, value, scene.clock, at_ms, told)
    return walk(value, scene.names, fold=False)


def _told(scene: Scene, queue: str, job: str) -> Callable[[float], bool]:
    """A delay counts from its job's timestamp."""
    timestamp = scene.job(queue, job).get("timestamp", "")
    return lambda at: number(timestamp) == at


def traces(value: Any) -> Any:
    """How many stack traces; anything that is no list of texts stays as it is."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return f"<{len(value)} stack traces>"
    return value


def locks(scene: Scene) -> Placed:
    """A lock: who holds it, and what is left of a lock's duration that began in this cell.

    A token becomes the name of the worker object that was given the job under this token (`processor.call`); one that
    the scenario chose, or that nobody was given, stays literal. Stays checked: that the lock belongs to that worker.
    `job.lock.form`: the token's form, which no peer reads.
    """
    for address, key in scene.of("job", "lock"):
        durations = list(_durations(scene, address.queue))
        holder = next(
            (
                f"<held by {attempt.worker}>"
                for attempt in scene.history.attempts
                if (attempt.queue, attempt.job, attempt.token) == (address.queue, address.id, key.text)
            ),
            scene.names(key.text),
        )
        subject = scene.names(address.id)
        value = shaped(key, "string") or {"holder": holder, "ttl": ttl(scene, key, durations)}
        yield Place(scene.capture.label, "job.lock", address.queue, subject), value
        form = "<uuid>:<n>" if _TOKEN.fullmatch(key.text) else "another text"
        yield Place(scene.capture.label, "job.lock.form", address.queue, subject), form


def _durations(scene: Scene, queue: str) -> Iterator[float]:
    """How long (ms) a lock may last in `queue`: as its workers say, or as somebody makes it last."""
    workers = [spec for spec in scene.scenario.objects.values() if spec.worker == queue]
    yield from (float(spec.opts.get("lockDuration", LOCK_DURATION)) for spec in workers)
    if not workers:
        yield LOCK_DURATION
    for step in scene.scenario.steps:
        if step.start is not None and not isinstance(step.start, str):
            yield float(step.start.opts.get("lockDuration", 0))
        if step.call is not None and step.call.method == "extendLock":
            yield float(step.call.args.get("duration", 0))
    for rule in scene.scenario.program:
        for action in rule.do:
            if isinstance(action.extend_lock, int):
                yield float(action.extend_lock)


def rows(scene: Scene) -> Placed:
    """A job's logs: the rows as they are, in order."""
    for address, key in scene.of("job", "logs"):
        value = shaped(key, "list") or [scene.names(row) for row in key.items]
        yield Place(scene.capture.label, "job.logs", address.queue, scene.names(address.id)), value


def children(scene: Scene) -> Placed:
    """What a parent knows of its children: pending, processed (JSON text, and its bytes), failed (raw), unsuccessful
    (instants). Children are full keys, with the prefix renamed."""
    for address, key in scene.keys.items():
        if address.suffix != "job" or address.part not in JOB_KEYS - {"lock", "logs"}:
            continue
        place = Place(scene.capture.label, f"job.{address.part}", address.queue, scene.names(address.id))
        match address.part:
            case "dependencies":
                yield place, shaped(key, "set") or sorted(map(scene.names, key.items))
            case "processed":
                texts = {scene.names(child): text for child, text in key.fields.items()}
                yield (
                    place,
                    shaped(key, "hash")
                    or {child: json_text(text, scene.names, by_client=True) for child, text in texts.items()},
                )
                yield (
                    Place(place.scope, "job.processed.bytes", place.queue, place.subject),
                    {child: scene.names(text) for child, text in texts.items()},
                )
            case "failed":
                yield (
                    place,
                    shaped(key, "hash")
                    or {scene.names(child): scene.names(text) for child, text in key.fields.items()},
                )
            case _:
                yield (
                    place,
                    shaped(key, "zset")
                    or {
                        scene.names(child): scene.clock.instant(printed(score), scene.capture.at_ms)
                        for child, score in key.scores
                    },
                )
