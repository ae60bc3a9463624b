"""Sentences: each step, rule and fact of a scenario in words."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import UNSET

from compat.model.facts import Fact, Instant, Loss, Span
from compat.model.program import Action, End, Match, Rule, Throw
from compat.model.scenario import ObjectSpec
from compat.model.steps import OF_SCRIPTS, Add, BulkJob, Call, Expire, FlowNode, JobRef, Share, Step, Strike, Until
from compat.report.text import printable, shortened, spelled

_LIMIT = 500  # characters of a value
_BARE = re.compile(r"[A-Za-z_][\w-]*")


def step_words(step: Step) -> str:
    """What one step does."""
    words = _deed(step)
    words = f"{words}; its answer is awaited later, as {step.later}" if step.later else words
    words = f"{words}; may be refused: nobody can know" if step.unknown else words
    if step.may_raise:
        return f"{words}; may be refused: {step.may_raise}"
    return f"{words}; must be refused: {step.raises}" if step.raises else words


def _deed(step: Step) -> str:
    match step.verb:
        case "add":
            assert step.add is not None
            return f"add {_job(step.add)} to {step.add.on}{_payload(step.add)}"
        case "bulk":
            assert step.bulk is not None
            jobs = "; ".join(f"{_job(job)}{_payload(job)}" for job in step.bulk.jobs)
            return f"add at once to {step.bulk.on}: {jobs or 'nothing'}"
        case "flow":
            assert step.flow is not None
            return f"add at once through {step.flow.on}: {'; '.join(map(_node, step.flow.roots))}"
        case "call":
            assert step.call is not None
            return _call(step.call)
        case "start" if step.start is not None and not isinstance(step.start, str):
            return f"start worker {step.start.worker} with {_flow(step.start.opts)}"
        case "start":
            return f"start worker {step.start}"
        case "stop" if step.stop is not None and not isinstance(step.stop, str):
            return f"stop worker {step.stop.worker}{' by force' if step.stop.force else ''}"
        case "stop":
            return f"stop worker {step.stop}"
        case "until":
            assert step.until is not None
            return _until(step.until)
        case "capture":
            return f"compare all keys and events here, as `{step.capture}`"
        case "release":
            return f"open gate {step.release}"
        case "share":
            assert step.share is not None
            return _share(step.share)
        case "expire":
            assert step.expire is not None
            return _expire(step.expire)
        case "sweep":
            return f"worker {step.sweep} looks for stalled jobs, now"
        case "advance":
            return f"move the drivers' clocks {step.advance:,} ms forward"
        case "clock":
            return f"set the drivers' clocks to {step.clock}"
        case "kill":
            return f"kill the process of worker {step.kill}"
        case "fault":
            assert step.fault is not None
            return _fault(step.fault)
        case "mend":
            return f"mend {step.mend}"
        case "await":
            return f"wait for the answer to {step.await_}"
        case verb:
            return f"{verb} {getattr(step, verb, '')}".strip()


def _job(job: Add | BulkJob | FlowNode) -> str:
    return f"job {job.label} {spelled(job.name)}" if job.label else f"a job {spelled(job.name)}"


def _node(node: FlowNode) -> str:
    words = f"{_job(node)} of {spelled(node.queue)}{_payload(node)}"
    return f"{words}, waiting for [{'; '.join(map(_node, node.children))}]" if node.children else words


def _payload(job: Add | BulkJob | FlowNode) -> str:
    parts = [f"data {_value(job.data)}"] if job.data is not UNSET and job.data != {} else []
    if job.opts is not UNSET and job.opts:
        parts.append(f"opts {_flow(job.opts)}")
    return f" with {', '.join(parts)}" if parts else ""


def _call(call: Call) -> str:
    if isinstance(call.job, JobRef):
        target = f"job id {spelled(call.job.id)} of {call.job.on}"
    else:
        target = f"job {call.job}" if call.job is not None else str(call.on)
    arguments = ", ".join(f"{name}={_value(value)}" for name, value in call.args.items())
    return f"call {target}: {call.method}({arguments})" + (f", kept as {call.label}" if call.label else "")


def _until(until: Until) -> str:
    facts = []
    if until.state:
        facts.append(", ".join(f"{count} {state}" for state, count in until.state.items()))
    if until.gate is not None:
        facts.append(f"{until.waiting} held at gate {until.gate}")
    times = f" ×{until.count}" if until.count != 1 else ""
    of = f" of job {until.job}" if until.job is not None else ""
    if until.event is not None:
        facts.append(f"event {until.event}{of}{times}")
    if until.notice is not None:
        facts.append(f"{until.of or 'the driver'} tells of {until.notice}{of}{times}")
    if until.errors:
        facts.append(", ".join(f"{least} {_errors(name)} from Redis" for name, least in until.errors.items()))
    if until.key is not None:
        facts.append(f"key {until.key.key} {'is there' if until.key.exists else 'is gone'}")
    where = f" in {until.queue}" if until.queue else ""
    return f"wait{where} until {' and '.join(facts)}"


def _errors(name: str) -> str:
    return "errors of scripts" if name == OF_SCRIPTS else f"errors {name}"


def _share(share: str | Share) -> str:
    gate, seed = (share, None) if isinstance(share, str) else (share.gate, share.seed)
    how = "the sides in turn" if seed is None else f"in the order that seed {seed} draws"
    return f"let what comes to gate {gate} go on one by one, {how}, until nothing comes any more"


def _expire(expire: Expire) -> str:
    what = f"the lock of job {expire.lock}" if expire.lock is not None else f"key {expire.key}"
    return f"let {what} expire"


def _fault(strike: Strike) -> str:
    given: dict[str, Any] = msgspec.to_builtins(strike)
    kind, of, label = given.pop("kind"), given.pop("of", None), given.pop("as", None)
    words = f"let go wrong: {kind}" + (f" of {of}" if of else "") + (f", called {label}" if label else "")
    return words + (f" with {_flow(given)}" if given else "")


def loss_words(loss: Loss) -> str:
    """What is lost, and why."""
    return f"{loss.kind}: {printable(loss.why)}; shown by {fact_words(loss.shown)}"


def rule_words(rule: Rule) -> str:
    """Which attempts a rule is for, and what they do."""
    deeds = [f"held at gate {rule.gate}"] if rule.gate else []
    deeds += [_action(action) for action in rule.do]
    return f"{_match(rule.when)}: {', '.join([*deeds, _end(rule.then)])}"


def _match(match: Match) -> str:
    parts = [f"{name} {value}" for name in ("job", "name", "attempt", "worker") if (value := getattr(match, name))]
    return ", ".join(parts) or "any attempt"


def _action(action: Action) -> str:
    written = msgspec.to_builtins(action)
    return ", ".join(f"{name} {_value(value)}" for name, value in written.items())


def _end(end: End) -> str:
    if end.returned is not UNSET:
        return f"returns {_value(end.returned)}"
    if isinstance(end.throw, Throw):
        kind = "" if end.throw.type == "error" else f" ({end.throw.type}{_ms(end.throw.ms)})"
        return f"throws {_value(end.throw.message)}{kind}"
    if end.throw is not UNSET:
        return f"throws {_value(end.throw)}"
    return "its process dies"


def _ms(ms: int | None) -> str:
    return "" if ms is None else f", {ms} ms"


_KINDS = {"events": "event reader", "flow": "flow producer", "producer": "producer of events"}


def object_words(spec: ObjectSpec) -> str:
    """What an object is."""
    kind = _KINDS.get(spec.kind, spec.kind)
    owner = f", the {spec.role}'s" if spec.role else ""
    late = "" if spec.open else ", opened by a step"
    return f"{kind} of {spelled(spec.queue_name)}{owner}{late}" + (f", opts {_flow(spec.opts)}" if spec.opts else "")


def fact_words(fact: Fact) -> str:
    """What must be true, on every side."""
    written: dict[str, Any] = msgspec.to_builtins(fact)
    subject = [f"{name} {written.pop(name)}" for name in ("queue", "job", "key", "call") if name in written]
    at = written.pop("at", None)
    said = ", ".join(f"{name} {_value(value)}" for name, value in written.items())
    return ": ".join(part for part in (", ".join(subject), said) if part) + (f" (in capture {at})" if at else "")


def _value(value: Any) -> str:
    return shortened(spelled(value) if value is not None else "null", _LIMIT)


def _flow(value: Any) -> str:
    """A value as a scenario writes it: keys without quotes."""
    return printable(shortened(_bare(value), _LIMIT))


def _bare(value: Any) -> str:
    if isinstance(value, dict):
        inside = (f"{key if _BARE.fullmatch(key) else spelled(key)}: {_bare(item)}" for key, item in value.items())
        return f"{{{', '.join(inside)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_bare, value))}]"
    if isinstance(value, str) and _BARE.fullmatch(value):
        return value
    return "null" if value is None else spelled(value)


def span_words(span: Span) -> str:
    """What is timed, and when a port is late."""
    due = f", due after {span.due:,} ms" if span.due else ""
    bound = f"late if always {span.bound:,} ms behind the oracle"
    return f"{span.name}: from {_instant(span.since, 'sent')} to {_instant(span.until, 'answered')}{due}; {bound}"


def _instant(instant: Instant, end: str) -> str:
    if instant.attempt is not None:
        return f"the start of {instant.attempt}'s attempt {instant.number}"
    if instant.stop is not None:
        return f"the stop of {instant.stop} being {end}"
    return (
        f"the add of {instant.add} being {end}" if instant.add is not None else f"the call {instant.call} being {end}"
    )
