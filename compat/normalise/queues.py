"""Rules for a queue's own keys: its states, settings, markers and counters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from compat.model.capture import Key
from compat.model.history import Implementation
from compat.normalise import events
from compat.normalise.canonical import ANY, Place
from compat.normalise.clock import INSTANT
from compat.normalise.scene import Scene, maps, shaped
from compat.normalise.text import json_text, number
from compat.wire.keys import METRICS, Address
from compat.wire.scores import TIES, due, printed, priority
from compat.wire.states import LISTS

Placed = Iterator[tuple[Place, Any]]

STALLED_INTERVAL = 30_000  # ms, a worker's default
_ENOUGH = 20_000  # ms: no cell lasts as long, so a `stalled-check` of this length never expires in one
_UNLIMITED = "9007199254740991"  # what `rateLimit(ms)` writes


def lists(scene: Scene) -> Placed:
    """`wait`, `paused`, `active`: ids as stored, head to tail. Nothing is renamed but UUIDs.

    Where workers run at once (`order: per-job`), `active` is compared as a set: who was fetched first is chance there.
    """
    for state in LISTS:
        for address, key in scene.of(state):
            ids: Any = shaped(key, "list") or [scene.names(job) for job in key.items]
            if state == "active" and scene.scenario.order == "per-job" and isinstance(ids, list):
                ids = sorted(ids)
            yield Place(scene.capture.label, state, address.queue), ids


def finished(scene: Scene) -> Placed:
    """`completed`, `failed`: each id with its score, as a set.

    A score becomes `<finishedOn>` when it equals that field of the job's hash, else `<instant>`. Stays checked: who is
    in it, and that score and hash agree. As a set, because equal milliseconds are ordered by id; the stream tells the
    order.
    """
    for state in ("completed", "failed"):
        for address, key in scene.of(state):
            value: Any = shaped(key, "zset") or {
                scene.names(job): _finished_on(scene, address.queue, job, score) for job, score in key.scores
            }
            yield Place(scene.capture.label, state, address.queue), value


def _finished_on(scene: Scene, queue: str, job: str, score: float) -> str:
    if scene.job(queue, job).get("finishedOn") == printed(score):
        return "<finishedOn>"
    return scene.clock.instant(printed(score), scene.capture.at_ms)


def waiting_children(scene: Scene) -> Placed:
    """`waiting-children`: each id with when it came there, as a set of `<instant>`s."""
    for address, key in scene.of("waiting-children"):
        value: Any = shaped(key, "zset") or {
            scene.names(job): scene.clock.instant(printed(score), scene.capture.at_ms) for job, score in key.scores
        }
        yield Place(scene.capture.label, "waiting-children", address.queue), value


def delayed(scene: Scene) -> Placed:
    """`delayed`: what is due when: ids by due time, those of one due time in the order of their scores.

    A due time becomes `<due>` when it is an iteration's slot, `<timestamp>+d` (d: the hash's `delay`) when it is that
    of an add, `<instant>+d` when due - d was on the clock in this cell; else it stays literal. Stays checked: the
    encoding of the score, the delay, first come first served among equal delays. The order between different delays
    follows from these, but for chance.
    `delayed.ties`: the low 12 bits, whole and distinct within a millisecond; which they are is chance.
    """
    for address, key in scene.of("delayed"):
        place = Place(scene.capture.label, "delayed", address.queue)
        if (wrong := shaped(key, "zset")) is not None:
            yield place, wrong
            continue
        by_due: dict[str, list[str]] = {}
        for job, score in key.scores:
            by_due.setdefault(due_name(scene, address.queue, job, score), []).append(scene.names(job))
        yield place, by_due
        scores = [score for _, score in key.scores]
        proper = len(set(scores)) == len(scores) and all(due(score).tie.is_integer() for score in scores)
        yield (
            Place(scene.capture.label, "delayed.ties", address.queue),
            "whole and distinct" if proper else [due(score).tie for score in scores],
        )


def due_name(scene: Scene, queue: str, job: str, score: float) -> str:
    """The due time of a score in `delayed`, as `delayed` above says."""
    fields = scene.job(queue, job)
    at = due(score).ms
    try:
        delay, timestamp = float(fields["delay"]), float(fields["timestamp"])
    except (KeyError, ValueError):
        return printed(score / TIES)
    if not math.isfinite(timestamp + delay):
        return printed(score / TIES)
    opts = json_text(fields.get("opts", ""), str, by_client=False)
    if at == scene.names.slots.due(job, opts if isinstance(opts, dict) else {}):
        return "<due>"
    name = scene.delay(queue, job, delay)
    moved = "ats" in fields or any(
        (step.call is not None and step.call.method == "changeDelay") for step in scene.scenario.steps
    )
    rows = (dict(entry.fields) for entry in scene.entries(queue))
    released = any(row.get("event") == "waiting-children" and row.get("jobId") == job for row in rows)
    by_add = not moved and not released
    if by_add and scene.clock.seen(timestamp, scene.capture.at_ms) and int(timestamp + delay) == at:
        return f"<timestamp>+{name}"
    if not by_add and scene.clock.seen(at - delay, scene.capture.at_ms):
        return f"{INSTANT}+{name}"
    return printed(score / TIES)


def prioritized(scene: Scene) -> Placed:
    """`prioritized`: id, priority, counter, by score. Exact."""
    for address, key in scene.of("prioritized"):
        value: Any = shaped(key, "zset") or [
            [scene.names(job), priority(score).priority, printed(priority(score).counter)] for job, score in key.scores
        ]
        yield Place(scene.capture.label, "prioritized", address.queue), value


def marker(scene: Scene) -> Placed:
    """`marker`: its members' scores.

    `0` (something may be fetched now): its score, 0, always; its presence only while every open worker is idle, since
    otherwise who popped last decides. `1`: `<earliest due>` when it is that of `delayed`, the due time of an earlier
    `delayed` event otherwise; literal when it is neither.
    """
    for queue in scene.live_queues:
        key = scene.key(queue, "marker") or Key("zset")
        if (wrong := shaped(key, "zset")) is not None:
            yield Place(scene.capture.label, "marker", queue), wrong
            continue
        found: dict[str, Any] = {} if scene.capture.exact else {"0": ANY}
        for member, score in key.scores:
            if member == "0" and score == 0:
                found["0"] = "0" if scene.capture.exact else ANY
            elif member == "1":
                found["1"] = _wake_up(scene, queue, score)
            else:
                found[scene.names(member)] = printed(score)
        yield Place(scene.capture.label, "marker", queue), found


def _wake_up(scene: Scene, queue: str, score: float) -> str:
    waiting = scene.key(queue, "delayed")
    if waiting is not None and waiting.scores and abs(waiting.scores[0][1] / TIES - score) < 1 / TIES:
        return "<earliest due>"
    names = [name for ms, name in events.dues(scene, queue) if ms <= score < ms + 1]
    return f"<due {names[-1]}>" if names else printed(score)


def counters(scene: Scene) -> Placed:
    """`id` exact. `pc` exact while every open worker is idle, else only its form: it is deleted by a fetch that finds
    nothing prioritized, and which fetch that is, chance decides."""
    for address, key in scene.of("id"):
        yield Place(scene.capture.label, "id", address.queue), shaped(key, "string") or number(key.text)
    for queue in scene.live_queues:
        counter = scene.key(queue, "pc")
        value: Any = None if counter is None else shaped(counter, "string") or number(counter.text)
        if not scene.capture.exact and (value is None or (isinstance(value, int) and value > 0)):
            value = ANY
        if value is not None:
            yield Place(scene.capture.label, "pc", queue), value


def stalled(scene: Scene) -> Placed:
    """`stalled`: ids, exact while every open worker is idle; else only that they are ids of jobs that exist."""
    for queue in scene.live_queues:
        key = scene.key(queue, "stalled")
        value: Any = None if key is None else shaped(key, "set") or sorted(map(scene.names, key.items))
        ids = key is None or (key.type == "set" and all(scene.job(queue, job) for job in key.items))
        if not scene.capture.exact and ids:
            value = ANY
        if value is not None:
            yield Place(scene.capture.label, "stalled", queue), value


def stalled_check(scene: Scene) -> Placed:
    """`stalled-check`: an instant, with what is left of a worker's `stalledInterval` that began in this cell.

    Its presence counts unless an interval is short enough to pass within a cell.
    """
    for queue in scene.live_queues:
        own = [
            opts.get("stalledInterval", STALLED_INTERVAL)
            for opts in _options(scene, "worker")
            if opts["queue"] == queue
        ]
        intervals = own or [STALLED_INTERVAL]
        key = scene.key(queue, "stalled-check")
        place = Place(scene.capture.label, "stalled-check", queue)
        if key is None:
            if min(intervals) < _ENOUGH:
                yield place, ANY
            continue
        value = scene.clock.instant(key.text, scene.capture.at_ms)
        life = ttl(scene, key, intervals)
        well = value == INSTANT and life == _life(max(intervals))
        yield place, ANY if well and min(intervals) < _ENOUGH else {"value": value, "ttl": life}


def limiter(scene: Scene) -> Placed:
    """`limiter`: the counter (exact), with what is left of a duration that the scenario speaks of."""
    durations = [float(opts["limiter"]["duration"]) for opts in _options(scene, "worker") if "limiter" in opts]
    for step in scene.scenario.steps:
        if step.call is not None and step.call.method in ("rateLimit", "setGlobalRateLimit"):
            args = step.call.args
            durations.append(float(args.get("ms", args.get("duration", 0))))
    for rule in scene.scenario.program:
        ms = getattr(rule.then.throw, "ms", None)
        durations += [float(ms)] if ms is not None else []
    for address, key in scene.of("limiter"):
        value = "<stopped>" if key.text == _UNLIMITED else number(key.text)
        yield (
            Place(scene.capture.label, "limiter", address.queue),
            shaped(key, "string") or {"value": value, "ttl": ttl(scene, key, durations)},
        )


def deduplication(scene: Scene) -> Placed:
    """`de:<id>`: the job that owns it; what is left of a `ttl` that the scenario gives a job, or none."""
    for address, key in scene.of("de"):
        bounds = [float(ttl_ms) for opts in maps(msgspec.to_builtins(scene.scenario.steps)) for ttl_ms in _ttls(opts)]
        value = {"job": scene.names(key.text), "ttl": ttl(scene, key, bounds)}
        yield Place(scene.capture.label, "de", address.queue, scene.names(address.id)), shaped(key, "string") or value


def _ttls(opts: Mapping[str, Any]) -> Iterator[float]:
    for name in ("deduplication", "debounce"):
        given = opts.get(name)
        if isinstance(given, dict) and isinstance(given.get("ttl"), (int, float)):
            yield given["ttl"]


def meta(scene: Scene) -> Placed:
    """`meta`, field by field, exact; `version` becomes `<claimed>` when it is what a side of this cell claims to write.

    A version is each implementation's own. Stays checked: that it is there, and that it is the one claimed.
    """
    claims = {claim(side) for side in scene.history.sides.values()}
    for address, key in scene.of("meta"):
        if (wrong := shaped(key, "hash")) is not None:
            yield Place(scene.capture.label, "meta", address.queue), wrong
        for field, text in key.fields.items():
            value: Any = scene.names(text)
            if field == "version" and text in claims:
                value = "<claimed>"
            yield Place(scene.capture.label, f"meta.{field}", address.queue), value


def claim(side: Implementation) -> str:
    """What an implementation says it writes to `meta.version`."""
    return side.meta_version or f"{side.name}:{side.version}"


def metrics(scene: Scene) -> Placed:
    """`metrics:…`: counts and points exact, `prevTS` an instant."""
    for suffix in sorted(METRICS):
        for address, key in scene.of(suffix):
            told = {
                field: scene.clock.instant(text, scene.capture.at_ms) if field == "prevTS" else number(text)
                for field, text in key.fields.items()
            }
            points = suffix.endswith(":data")
            value = shaped(key, "list" if points else "hash") or (list(key.items) if points else told)
            yield Place(scene.capture.label, suffix, address.queue), value


def schedulers(scene: Scene) -> Placed:
    """`repeat` and `repeat:<id>`: slots by name (`Slots`), an `offset` that is the first slot's as `<phase>`, the rest
    as stored: dates, limits and counts are exact. The data's text is compared besides, as `repeat.bytes`."""
    slots = scene.names.slots
    for address, key in scene.of("repeat"):
        place = Place(scene.capture.label, "repeat", address.queue, scene.names(address.id))
        if (wrong := shaped(key, "hash" if address.id else "zset")) is not None:
            yield place, wrong
        elif not address.id:
            yield place, {scene.names(member): _slot(scene, member, score) for member, score in key.scores}
        else:
            fields = {field: scene.names(text) for field, text in key.fields.items()}
            for field in ("data", "opts"):
                if field in fields:
                    fields[field] = json_text(key.fields[field], scene.names, by_client=field == "data")
            if "offset" in fields:
                phase = slots.phase(address.id, number(fields["offset"]), number(fields.get("every", "")))
                fields["offset"] = str(phase)
            yield place, fields
            if "data" in key.fields:
                yield Place(place.scope, "repeat.bytes", place.queue, place.subject), scene.names(key.fields["data"])


def _slot(scene: Scene, key: str, score: float) -> str:
    return scene.names.slots.name(key, int(score)) if float(score).is_integer() else printed(score)


def foreign(scene: Scene) -> Placed:
    """Keys under the prefix that are not BullMQ's or not of a queue of this scenario, with their types. Exact."""
    for name, kind in sorted(scene.foreign.items()):
        yield Place(scene.capture.label, "foreign", "", scene.names(name)), kind


def lives(scene: Scene) -> Placed:
    """A key that should live for ever and does not, or the other way round, is visible: `<expires>`.

    Locks, `limiter`, `stalled-check` and `de:…` have their own rules; no other key expires.
    """
    own = ("limiter", "stalled-check", "de")
    for address, key in scene.keys.items():
        if key.ttl_ms is not None and address.suffix not in own and address.part != "lock":
            subject = scene.names(address.id)
            yield Place(scene.capture.label, f"ttl.{_kind(address)}", address.queue, subject), "<expires>"


def clients(scene: Scene) -> Placed:
    """Names of connections after the prefix: `getWorkers()` and dashboards find workers by them. Exact.

    Where none were read (in Cluster) there is nothing to compare.
    """
    if scene.capture.clients:
        yield Place(scene.capture.label, "clients"), [scene.names(name) for name in scene.capture.clients]


def ttl(scene: Scene, key: Key, lives: Iterable[float]) -> str:
    """A key's remaining life, in ms: what is left of one of `lives` that began in this cell, another, or for ever."""
    if key.ttl_ms is None:
        return "for ever"
    bounds = tuple(lives)
    left = any(is_left(key.ttl_ms, life, scene.capture.at_ms - scene.history.started_ms) for life in bounds)
    return _life(max(bounds)) if left else f"{key.ttl_ms} ms"


def is_left(left_ms: float, life_ms: float, passed_ms: float) -> bool:
    """Whether a life that began at most `passed_ms` ago may have come to this."""
    return life_ms - passed_ms - 1 <= left_ms <= life_ms


def _life(bound_ms: float) -> str:
    return f"<at most {bound_ms:g} ms>"


def _kind(address: Address) -> str:
    return address.suffix if address.suffix != "job" else f"job.{address.part}" if address.part else "job"


def _options(scene: Scene, kind: str) -> Iterator[dict[str, Any]]:
    """The options of the scenario's objects of a kind, with each `start`'s own, and `queue`."""
    for name, spec in scene.scenario.objects.items():
        if spec.kind == kind:
            yield {**spec.opts, "queue": spec.queue_name}
            for step in scene.scenario.steps:
                start = step.start
                if start is not None and not isinstance(start, str) and start.worker == name:
                    yield {**spec.opts, **start.opts, "queue": spec.queue_name}
