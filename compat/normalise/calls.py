"""Rules for what is told outside Redis: answers to calls, processor calls, events of a driver's own accord."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from msgspec import UNSET

from compat.model.history import History, Notice, Outcome
from compat.model.scenario import Scenario
from compat.normalise.canonical import RUN, Place
from compat.normalise.clock import INSTANT, Clock
from compat.normalise.jobs import traces
from compat.normalise.names import Names
from compat.normalise.queues import Placed, claim, is_left
from compat.normalise.scene import range_name, span
from compat.normalise.text import json_text, number, walk
from compat.protocol.methods import JOB_VIEW
from compat.protocol.values import Undefined, decode
from compat.wire.fields import FIELDS, Codec
from compat.wire.keys import iteration

#: Answers that mean nothing to a user, so that drivers are free in them.
_MUTE = ("open", "close", "sweep", "pause", "resume")
_CLOCKED = ("timestamp", "processedOn", "finishedOn")
_TTLS = ("getRateLimitTtl",)
UNKNOWN = "<unknown>"
_EPOCH = 1_000_000_000_000  # ms: smaller numbers are no times


def outcomes(scenario: Scenario, history: History, names: Names) -> Placed:
    """How each call ended: its answer, or the symbol of its error (never its text); of one that a fault keeps from
    knowing, only that it was made.

    Jobs are reduced to the properties of the protocol, where null, absent and an empty list of traces are the same;
    times become instants; what is left of a rate limit of the scenario's, `<ttl>`; the version,
    `<claimed>`. An error without a symbol equals nothing: its text stays.
    """
    clock = Clock(history)
    seen: Counter[tuple[int, str]] = Counter()
    for outcome in history.outcomes:
        seen[outcome.step, outcome.method] += 1
        nth = seen[outcome.step, outcome.method]
        what = f"call.step {outcome.step} {outcome.method}" + (f" as {outcome.label}" if outcome.label else "")
        step = f"{outcome.step}" + (f".{nth}" if nth > 1 else "")
        unknown = 0 <= outcome.step < len(scenario.steps) and scenario.steps[outcome.step].unknown
        ending = UNKNOWN if unknown else _ending(scenario, history, names, clock, outcome)
        yield Place(RUN, what, outcome.queue, step), ending


def _ending(scenario: Scenario, history: History, names: Names, clock: Clock, outcome: Outcome) -> Any:
    if outcome.problem is not None:
        symbol = outcome.problem.symbol
        return {"raises": f"<unclassified: {names(outcome.problem.text)}>" if symbol == "unclassified" else symbol}
    method = outcome.method.partition(".")[2]
    if outcome.label is None and method in _MUTE:
        return "<done>"
    if outcome.result is UNSET or outcome.result is None:
        return "<nothing>"
    result = decode(outcome.result)
    if method in _TTLS and type(result) is int and result > 0:
        passed = outcome.answered_ms - history.started_ms
        return "<ttl>" if any(is_left(result, limit, passed) for limit in _limits(scenario)) else result
    if method == "getVersion" and result in {claim(side) for side in history.sides.values()}:
        return "<claimed>"
    if method == "getDependencies" and isinstance(result, dict):
        result = _children(names, clock, outcome, result)
    return _answer(scenario, history, names, clock, outcome, result)


def _limits(scenario: Scenario) -> list[float]:
    """The rate limits, in ms, that a scenario sets in any way."""
    found = [(spec.opts.get("limiter") or {}).get("duration") for spec in scenario.objects.values()]
    for step in scenario.steps:
        if step.call is not None and step.call.method in ("rateLimit", "setGlobalRateLimit"):
            found += [step.call.args.get("ms"), step.call.args.get("duration")]
    ends = [rule.then.throw for rule in scenario.program]
    found += [getattr(end, "ms", None) for end in ends]
    return [ms for ms in found if isinstance(ms, (int, float))]


def _children(names: Names, clock: Clock, outcome: Outcome, answer: dict[str, Any]) -> dict[str, Any]:
    """A page of children: pending ones, and those that a queue lists, as sets, for Redis keeps them in no order; their
    hashes as `jobs.hashes` reads them."""
    found = dict(answer)
    if isinstance(found.get("jobs"), list):
        found["jobs"] = [
            {field: _stored(names, clock, outcome, field, text) for field, text in fields.items()}
            if isinstance(fields, dict)
            else fields
            for fields in found["jobs"]
        ]
    for name in ("unprocessed", "items", "jobs"):
        if isinstance(found.get(name), list):
            found[name] = sorted(walk(found[name], names, fold=True), key=lambda item: json.dumps(item, sort_keys=True))
    return found


def _stored(names: Names, clock: Clock, outcome: Outcome, field: str, text: Any) -> Any:
    """A field of a hash by its codec; what is no text, the port has parsed already."""
    if not isinstance(text, str):
        return text
    match FIELDS.get(field, Codec.RAW):
        case Codec.CLIENT_JSON | Codec.REDIS_JSON as codec:
            return json_text(text, names, by_client=codec is Codec.CLIENT_JSON)
        case Codec.TRACES:
            return traces(json_text(text, names, by_client=True))
        case Codec.INSTANT:
            return clock.instant(text, outcome.answered_ms)
        case _:
            return text


def _answer(scenario: Scenario, history: History, names: Names, clock: Clock, outcome: Outcome, value: Any) -> Any:
    def inner(item: Any) -> Any:
        return _answer(scenario, history, names, clock, outcome, item)

    if isinstance(value, list):
        return [inner(item) for item in value]
    if isinstance(value, dict) and {"key", "name", "next"} <= value.keys():
        return _record(names, value)
    if isinstance(value, dict) and {"id", "name"} <= value.keys():
        return _view(scenario, history, names, clock, outcome, value)
    if isinstance(value, dict):
        return {names(key): inner(item) for key, item in value.items()}
    if isinstance(value, int) and value > _EPOCH and clock.seen(value, outcome.answered_ms):
        return INSTANT
    return walk(value, names, fold=True)


def _record(names: Names, value: dict[str, Any]) -> dict[str, Any]:
    """A scheduler or a repeatable job: slots named, the rest literal."""
    key, slot = str(value["key"]), value["next"]
    found = {**walk(value, names, fold=True), "next": names.slots.name(key, slot) if isinstance(slot, int) else slot}
    if "offset" in value:
        found["offset"] = names.slots.phase(key, value["offset"], value.get("every"))
    return found


def _view(
    scenario: Scenario, history: History, names: Names, clock: Clock, outcome: Outcome, view: dict[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    job, opts = str(view.get("id")), view.get("opts")

    def told(at: float) -> bool:  # a script may read the clock again after the job did
        return at == view.get("timestamp") or clock.within(at, outcome.sent_ms, outcome.answered_ms)

    for name in JOB_VIEW:
        value = view.get(name)
        if value is None or (name == "stacktrace" and value == []):
            continue
        if name == "opts" and isinstance(value, dict) and iteration(job) is not None:
            value = names.slots.options(job, _without_nulls(value), clock, outcome.answered_ms, told)
        elif name == "delay" and isinstance(opts, dict):
            value = names.slots.delay(job, opts, value, told)
        value = walk(value, names, fold=True)
        if name in _CLOCKED and isinstance(value, int) and clock.seen(value, outcome.answered_ms):
            value = INSTANT
        elif name == "stacktrace":
            value = traces(value)
        elif name == "delay" and isinstance(value, int):
            bounds = span(scenario, history, outcome.queue, str(view.get("id")))
            if bounds is not None and bounds[0] <= value <= bounds[1]:
                value = range_name(bounds)
        found[name] = value
    return found


def _without_nulls(opts: dict[str, Any]) -> dict[str, Any]:
    """Options with what `repeat` does not say left out: there, too, null and absent mean the same."""
    repeat = opts.get("repeat")
    if not isinstance(repeat, dict):
        return opts
    return {**opts, "repeat": {k: v for k, v in repeat.items() if v is not None and not isinstance(v, Undefined)}}


def attempts(scenario: Scenario, history: History, names: Names) -> Placed:
    """How often the processor was called for each job, and (where the order is total) in which order jobs came first.

    Not compared for a history that broke off: its last attempts were still to come.
    """
    if history.failure is not None:
        return
    calls = Counter((attempt.queue, attempt.job) for attempt in history.attempts)
    for (queue, job), times in calls.items():
        yield Place(RUN, "attempts", queue, names(job)), times
    if scenario.order == "total":
        orders: dict[str, list[str]] = {}
        for attempt in history.attempts:
            order = orders.setdefault(attempt.queue, [])
            if names(attempt.job) not in order:
                order.append(names(attempt.job))
        for queue, order in orders.items():
            yield Place(RUN, "attempts.order", queue), order


def notices(scenario: Scenario, history: History, names: Names) -> Placed:
    """What an object told its users of each job: the events with their words, in order; and of no job, which events at
    all.

    How often a worker finds its queue empty is chance; so is, for `order: per-job`, which of two workers has a job, and
    their events stand together there. A time that an event tells of is compared in the stream.
    """
    told: dict[tuple[str, str, str], list[Any]] = {}
    for notice in history.notices:
        spec = scenario.objects.get(notice.object)
        if spec is None:
            continue
        name = notice.object if scenario.order == "total" else spec.kind
        words = told.setdefault((name, spec.queue_name, names(notice.job)), [])
        word = _notice(names, notice)
        if notice.job or word not in words:
            words.append(word)
    for (name, queue, job), words in told.items():
        yield Place(RUN, f"notices.{name}", queue, job), words if job else sorted(words, key=str)


def _notice(names: Names, notice: Notice) -> Any:
    args = {name: value for name, value in notice.args.items() if value is not None}
    due = number(str(args.get("delay")))
    if isinstance(due, int) and due > _EPOCH:
        args["delay"] = INSTANT
    return {"event": notice.event, **walk(decode(args), names, fold=True)} if args else notice.event
