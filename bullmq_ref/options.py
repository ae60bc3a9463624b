"""What can be asked of jobs, queues and workers; the canonical form is a dict with Node's names."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Self

from bullmq_ref.errors import Invalid
from bullmq_ref.jsjson import UNDEFINED, Undefined, dumps, number, utf8

PRIORITY_LIMIT: Final = 2**21
_NUMBERS: Final = frozenset({int, float, bool, type(None)})

#: Option names as they are stored, where they differ from the API's.
SHORT: Final = {
    "deduplication": "de",
    "failParentOnFailure": "fpof",
    "continueParentOnFailure": "cpof",
    "ignoreDependencyOnFailure": "idof",
    "removeDependencyOnFailure": "rdof",
    "keepLogs": "kl",
    "debounce": "de",
}
LONG: Final = {short: long for long, short in SHORT.items() if long != "debounce"}

#: What may happen to the parent of a failed child, in the order in which Node lists them; with the flag in `parent`.
PARENT_FLAGS: Final = {
    "removeDependencyOnFailure": "rdof",
    "failParentOnFailure": "fpof",
    "continueParentOnFailure": "cpof",
    "ignoreDependencyOnFailure": "idof",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that Node does not have. `Limits()` are the library's defaults, `Limits.node()` sets none.

    `payload`: bytes of data and options, serialised. `logs`: rows kept where a job's `keepLogs` says nothing.
    `backoff`: the longest delay of a retry in ms. `strict`: refuse negative delays, attempts and priorities and unknown
    types of backoff (those in `custom_backoffs` pass). `close`: ms that `Worker.close()` waits for active jobs.
    """

    payload: int | None = 10 * 1024 * 1024
    logs: int | None = 1_000
    backoff: int | None = 3_600_000
    strict: bool = True
    custom_backoffs: frozenset[str] = frozenset()
    close: int | None = 30_000

    @classmethod
    def node(cls) -> Limits:
        """As Node: none of these."""
        return cls(payload=None, logs=None, backoff=None, strict=False, close=None)

    def _size(self, data: str, options: Mapping[str, Any]) -> int:
        """Bytes. Numbers and switches beside little data are not worth writing out: an upper bound will do."""
        most = 4 * (len(data) + sum(map(len, options))) + 32 * len(options)
        if self.payload is not None and most <= self.payload and _NUMBERS.issuperset(map(type, options.values())):
            return most
        return len(utf8(data)) + len(utf8(dumps(options)))

    def check(self, name: str, data: str, options: Mapping[str, Any]) -> None:
        """Raise Invalid, naming the field and the bound, when a job breaks one of these bounds."""
        if self.payload is not None:
            size = self._size(data, options)
            if size > self.payload:
                raise Invalid(
                    f"The size of job {name} exceeds the limit {self.payload} bytes: it takes {size} bytes",
                    symbol="SizeLimitExceeded",
                    field="data",
                    bound=self.payload,
                )
        if not self.strict:
            return
        for option in ("delay", "attempts", "priority"):
            value = options.get(option)
            if isinstance(value, int | float) and value < 0:
                raise Invalid(f"{option} must be greater or equal than 0, got {value}", field=option, bound=0)
        backoff = options.get("backoff")
        if backoff and isinstance(backoff, Mapping):
            kinds = {"fixed", "exponential"} | self.custom_backoffs
            if backoff.get("type") not in kinds:
                raise Invalid(
                    f"backoff.type must be one of {', '.join(sorted(kinds))}, got {backoff.get('type')!r}; "
                    "name custom types in Limits.custom_backoffs",
                    field="backoff.type",
                    bound=tuple(sorted(kinds)),
                )


def camel(name: str) -> str:
    """`remove_on_complete` → `removeOnComplete`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


class _Options:
    """What the option classes share: a mapping with Node's names or keywords make one, `node()` gives Node's names."""

    def node(self) -> dict[str, Any]:
        """With Node's names, without what was not given."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))  # type: ignore[arg-type]
        return {camel(name): _nested(value) for name, value in values if value is not None}


def _nested(value: Any) -> Any:
    return value.node() if isinstance(value, _Options) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff(_Options):
    """When a failed job runs again. `type`: `fixed`, `exponential` or a custom one; `delay` in ms; `jitter` 0 to 1."""

    type: str
    delay: int | None = None
    jitter: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep(_Options):
    """Which finished jobs stay: at most `count`, none older than `age` seconds."""

    count: int | None = None
    age: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduplication(_Options):
    """At most one job per `id`; `ttl` in ms."""

    id: str
    ttl: int | None = None
    extend: bool | None = None
    replace: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTelemetry(_Options):
    """What travels with a job so that traces go on: `metadata`, or nothing when `omit_context`."""

    metadata: str | None = None
    omit_context: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatOptions(_Options):
    """When a job comes again: `every` so many ms, or by a cron `pattern` (seconds optional, in zone `tz`).

    At most `limit` times, from `start_date` to `end_date` (ms, ISO text or a datetime); the first time at once with
    `immediately`. `count` is how often it came already. `key` names a repeatable job. Node ignores `offset` here.
    """

    pattern: str | None = None
    every: int | None = None
    limit: int | None = None
    start_date: float | str | datetime | None = None
    end_date: float | str | datetime | None = None
    tz: str | None = None
    utc: bool | None = None
    immediately: bool | None = None
    count: int | None = None
    offset: int | None = None
    key: str | None = None


def repeat_options(options: RepeatOptions | Mapping[str, Any]) -> dict[str, Any]:
    """The canonical form of repeat options."""
    return options.node() if isinstance(options, RepeatOptions) else dict(options)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions(_Options):
    """A job's options; None is "not given".

    `attempts` in all (0, Node's default, is one). `backoff`: the wait between them, a number of ms or a `Backoff`.
    `delay` in ms before it may run. `priority`: 1 comes first, 2^21 last, 0 is none and comes before all. `lifo`: to
    the front of wait. `job_id`: an id of one's own, no integer, without colons. `timestamp` in ms since the epoch.
    `remove_on_complete`, `remove_on_fail`: True removes, a number is how many stay, `Keep` bounds count and age.
    `keep_logs` rows at most. `size_limit` of the data in bytes. `stack_trace_limit` traces at most. `deduplication`
    (`debounce` by its older name): at most one job of an id. `parent`: `{"id", "queue"}`, the queue qualified
    (`<prefix>:<name>`); the four `…_on_failure` say what this job's failure does to it, one at most.
    """

    attempts: int | None = None
    backoff: Backoff | int | Mapping[str, Any] | None = None
    delay: float | None = None
    priority: int | None = None
    lifo: bool | None = None
    job_id: str | None = None
    timestamp: float | None = None
    remove_on_complete: bool | int | Keep | Mapping[str, Any] | None = None
    remove_on_fail: bool | int | Keep | Mapping[str, Any] | None = None
    keep_logs: int | None = None
    size_limit: int | None = None
    stack_trace_limit: int | None = None
    deduplication: Deduplication | Mapping[str, Any] | None = None
    debounce: Deduplication | Mapping[str, Any] | None = None
    telemetry: JobTelemetry | Mapping[str, Any] | None = None
    parent: Mapping[str, str] | None = None
    fail_parent_on_failure: bool | None = None
    continue_parent_on_failure: bool | None = None
    ignore_dependency_on_failure: bool | None = None
    remove_dependency_on_failure: bool | None = None
    repeat: RepeatOptions | Mapping[str, Any] | None = None


def job_options(options: JobOptions | Mapping[str, Any] | None, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical form of options given as an object or a mapping (Node's names), with keywords over them."""
    given = options.node() if isinstance(options, JobOptions) else dict(options or {})
    if keywords:
        try:
            given.update(JobOptions(**keywords).node())
        except TypeError as error:
            raise Invalid(f"Unknown job option: {error}", field="options") from None
    return {name: value for name, value in given.items() if not isinstance(value, Undefined)}


def normalised(options: Mapping[str, Any]) -> dict[str, Any]:
    """As Node's Job keeps them: `attempts` always there, a number as backoff made a fixed one."""
    kept = {"attempts": 0, **options}
    kept.pop("repeatJobKey", None)
    backoff = kept.get("backoff")
    if isinstance(backoff, int | float) and not isinstance(backoff, bool):
        kept["backoff"] = {"type": "fixed", "delay": backoff}
    elif not backoff:
        kept.pop("backoff", None)
    return kept


def encoded(options: Mapping[str, Any]) -> dict[str, Any]:
    """With the names under which options are stored."""
    stored: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, Undefined):
            continue
        if name == "telemetry":
            telemetry = {"tm": value.get("metadata", UNDEFINED), "omc": value.get("omitContext", UNDEFINED)}
            stored.update({k: v for k, v in telemetry.items() if not isinstance(v, Undefined)})
        else:
            stored[SHORT.get(name, name)] = value
    return stored


def decoded(stored: Mapping[str, Any]) -> dict[str, Any]:
    """`encoded`, undone."""
    options: dict[str, Any] = {}
    for name, value in stored.items():
        if name in ("tm", "omc"):
            options.setdefault("telemetry", {})["metadata" if name == "tm" else "omitContext"] = value
        else:
            options[LONG.get(name, name)] = value
    return options


#: The options that `validate` has rules for.
_RULED: Final = frozenset(
    {"sizeLimit", "delay", "repeat", *PARENT_FLAGS, "jobId", "priority", "deduplication", "debounce", "backoff"}
)


def validate(name: str, data: str, options: Mapping[str, Any]) -> None:
    """Node's `validateOptions`, in its order and with its texts; raises Invalid."""
    if _RULED.isdisjoint(options):
        return
    limit = options.get("sizeLimit")
    if limit and len(utf8(data)) > limit:
        text = f"The size of job {name} exceeds the limit {limit} bytes"
        raise Invalid(text, symbol="SizeLimitExceeded", field="data", bound=limit)
    repeat = options.get("repeat")
    if options.get("delay") and repeat and not repeat.get("count"):
        text = "Delay and repeat options could not be used together"
        raise Invalid(text, symbol="DelayWithRepeat", field="delay")
    exclusive = [option for option in PARENT_FLAGS if options.get(option)]
    if len(exclusive) > 1:
        text = f"The following options cannot be used together: {', '.join(exclusive)}"
        raise Invalid(text, symbol="ExclusiveParentOptions", field=exclusive[1])
    if job_id := options.get("jobId"):
        _validate_id(job_id)
    if priority := options.get("priority"):
        if isinstance(priority, float) and math.isfinite(priority) and not priority.is_integer():
            raise Invalid("Priority should not be float", symbol="PriorityNotInteger", field="priority")
        if priority > PRIORITY_LIMIT:
            text = f"Priority should be between 0 and {PRIORITY_LIMIT}"
            raise Invalid(text, symbol="PriorityOutOfRange", field="priority", bound=PRIORITY_LIMIT)
    for option, word in (("deduplication", "Deduplication"), ("debounce", "Debounce")):
        if (given := options.get(option)) is not None and not given.get("id"):
            raise Invalid(f"{word} id must be provided", symbol=f"{word}IdMissing", field=f"{option}.id")
    backoff = options.get("backoff")
    jitter = backoff.get("jitter") if backoff and isinstance(backoff, Mapping) else None
    if isinstance(jitter, int | float) and not 0 <= jitter <= 1:
        raise Invalid(
            "Jitter should be between 0 and 1", symbol="JitterOutOfRange", field="backoff.jitter", bound=(0, 1)
        )


_INTEGER = re.compile(r"-?[0-9]{1,21}\Z")


def _validate_id(job_id: Any) -> None:
    if not isinstance(job_id, str):
        raise Invalid(f"jobId must be text, got {job_id!r}", field="jobId")
    if job_id == "NaN" or (_INTEGER.match(job_id) and number(float(job_id)) == job_id):
        raise Invalid("Custom Id cannot be integers", symbol="JobIdInteger", field="jobId")
    if ":" in job_id and job_id.count(":") != 2:
        raise Invalid("Custom Id cannot contain :", symbol="JobIdColon", field="jobId")


#: What Node takes under `settings`.
_SETTINGS = ("backoffStrategy", "repeatStrategy", "repeatKeyHashAlgorithm")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions(_Options):
    """A worker's options. Times in ms, except `drain_delay` in s as in Node.

    Two are this library's own: `timeout` is how long an attempt may take, in ms, before its processor is cancelled and
    the attempt fails with AttemptTimedOut; `cancel_on_lock_loss` cancels the processor of a job whose lock was lost.
    """

    concurrency: int = 1
    name: str | None = None
    autorun: bool = True
    drain_delay: float = 5
    lock_duration: float = 30_000
    lock_renew_time: float | None = None  # half of lock_duration
    stalled_interval: float = 30_000
    max_stalled_count: int = 1
    max_started_attempts: int | None = None
    run_retry_delay: float = 15_000
    limiter: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    remove_on_complete: Mapping[str, Any] | None = None
    remove_on_fail: Mapping[str, Any] | None = None
    skip_stalled_check: bool = False
    skip_lock_renewal: bool = False
    timeout: float | None = None
    cancel_on_lock_loss: bool = False
    backoff_strategy: Callable[..., Any] | None = field(default=None, compare=False)
    repeat_strategy: Callable[..., Any] | None = field(default=None, compare=False)
    repeat_key_hash_algorithm: str = "md5"

    @classmethod
    def of(cls, options: WorkerOptions | Mapping[str, Any] | None, keywords: Mapping[str, Any]) -> Self:
        """From an object or a mapping with Node's names, with keywords over it. Raises Invalid with Node's texts."""
        given = dict(options) if isinstance(options, Mapping) else options.node() if options else {}
        names = {camel(f.name): f.name for f in fields(cls)}
        settings = given.pop("settings", None) or {}
        known = {names[k]: v for k, v in given.items() if k in names and not isinstance(v, Undefined)}
        known.update({names[k]: v for k, v in settings.items() if k in _SETTINGS})
        known.update(keywords)
        try:
            made = cls(**known)
        except TypeError as error:
            raise Invalid(f"Unknown worker option: {error}", field="options") from None
        made.check()
        return made

    def check(self) -> None:
        """Node's checks, in its order."""
        rules: tuple[tuple[str, Any, bool, str, str], ...] = (
            ("maxStalledCount", self.max_stalled_count, True, "greater or equal than 0", "MaxStalledCountInvalid"),
            (
                "maxStartedAttempts",
                0 if self.max_started_attempts is None else self.max_started_attempts,
                True,
                "greater or equal than 0",
                "MaxStartedAttemptsInvalid",
            ),
            ("stalledInterval", self.stalled_interval, False, "greater than 0", "StalledIntervalInvalid"),
            ("drainDelay", self.drain_delay, False, "greater than 0", "DrainDelayInvalid"),
        )
        for option, value, zero, words, symbol in rules:
            if not _is_number(value) or value < 0 or (value == 0 and not zero):
                raise Invalid(f"{option} must be {words}", symbol=symbol, field=option, bound=0)
        if self.timeout is not None and (not _is_number(self.timeout) or self.timeout <= 0):
            raise Invalid(f"timeout must be greater than 0 ms, got {self.timeout!r}", field="timeout", bound=0)
        check_concurrency(self.concurrency)

    @property
    def renew_time(self) -> float:
        """ms; Node: half of the lock's duration."""
        return self.lock_renew_time or self.lock_duration / 2


def check_concurrency(value: Any) -> None:
    """Raise Invalid unless `value` is a finite number of at least 1."""
    if not _is_number(value) or not 1 <= value < float("inf"):
        text = "concurrency must be a finite number greater than 0"
        raise Invalid(text, symbol="ConcurrencyInvalid", field="concurrency", bound=1)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
