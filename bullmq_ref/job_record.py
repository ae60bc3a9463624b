"""A job's record: what was asked for and what has become of it, as its hash in Redis tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Self

from bullmq_ref import clock
from bullmq_ref.jsjson import Undefined, dumps, loads
from bullmq_ref.options import PARENT_FLAGS, decoded, encoded, normalised, validate
from bullmq_ref.pack import pack
from bullmq_ref.repetition import dated
from bullmq_ref.scripts.adding import NewJob

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from bullmq_ref.base import QueueBase

    # Type checkers bring typing_extensions along: so a bare `Job` is a `Job[Any, Any]`, before Python 3.13 too.
    Payload = TypeVar("Payload", default=Any)
    Result = TypeVar("Result", default=Any)
else:
    from typing import TypeVar

    Payload = TypeVar("Payload")
    Result = TypeVar("Result")

_LEADING_INTEGER = re.compile(r"\s*([+-]?\d+)")


class Record(Generic[Payload, Result]):
    """A job as it was when it was added or fetched. `options` have Node's names; times are ms since the epoch.

    `attempts_made` counts attempts that ended, `attempts_started` those that began, `stalled_counter` the stalls.
    """

    progress: Any = 0
    returnvalue: Result | None = None
    stacktrace: list[str] | None = None
    attempts_made = 0
    attempts_started = 0
    stalled_counter = 0
    failed_reason: str | None = None
    deferred_failure: str | None = None
    finished_on: int | None = None
    processed_on: int | None = None
    processed_by: str | None = None
    next_repeatable_job_id: str | None = None
    token: str | None = None
    discarded = False
    parent_key: str | None = None
    parent: dict[str, Any] | None = None
    deduplication_id: str | None = None

    def __init__(
        self, owner: QueueBase, name: str, data: Payload, options: Mapping[str, Any], job_id: str | None = None
    ) -> None:
        self._owner = owner
        self.id = job_id or ""
        self.name = name
        self.data = data
        self.options = normalised(options)
        self.timestamp: float = options.get("timestamp") or clock.now()
        self.delay: float | None = self.options.get("delay")
        self.priority: float = self.options.get("priority") or 0
        self.repeat_job_key: str | None = options.get("repeatJobKey")
        if parent := options.get("parent"):
            self.parent_key = f"{parent.get('queue')}:{parent.get('id')}"
            flags = {flag: True for option, flag in _FLAGS.items() if options.get(option)}
            self.parent = {"id": parent.get("id"), "queueKey": parent.get("queue"), **flags}
        if deduplication := options.get("deduplication") or options.get("debounce"):
            self.deduplication_id = deduplication.get("id")

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.name!r} of {self._owner.keys.qualified}>"

    @property
    def queue_name(self) -> str:
        return self._owner.name

    @property
    def queue_qualified_name(self) -> str:
        """`<prefix>:<queue>`, as `parent.queue` names it."""
        return self._owner.keys.qualified

    @property
    def debounce_id(self) -> str | None:
        """`deduplication_id` by its older name."""
        return self.deduplication_id

    @property
    def prefix(self) -> str:
        return self._owner.prefix

    def new(self, *, has_children: bool = False) -> NewJob:
        """What is stored of it, checked against Node's rules and the owner's limits. Raises Invalid."""
        data = "{}" if isinstance(self.data, Undefined) else dumps(self.data)
        validate(self.name, data, self.options)
        self._owner.limits.check(self.name, data, self.options)
        return NewJob(
            name=self.name,
            data=data,
            options=pack(encoded(self._with_dates())),
            timestamp=self.timestamp,
            delay=self.options.get("delay"),
            priority=self.options.get("priority"),
            id=self.id,
            parent_key=self.parent_key,
            parent=self.parent,
            repeat_job_key=self.repeat_job_key,
            deduplication_id=self.deduplication_id,
            has_children=has_children,
        )

    def _with_dates(self) -> dict[str, Any]:
        repeat = self.options.get("repeat")
        return {**self.options, "repeat": dated(repeat)} if repeat else self.options

    @classmethod
    def from_fields(cls, owner: QueueBase, fields: Mapping[str, str], job_id: str) -> Self:
        """A job from its hash. Numbers are read as leniently as Node reads them."""
        get = fields.get
        options = decoded(loads(get("opts") or "{}"))
        job = cls(owner, get("name", ""), loads(get("data") or "{}"), options, job_id)
        job.delay = integer(get("delay"))
        job.priority = integer(get("priority")) or 0
        job.timestamp = integer(get("timestamp")) or 0
        job.attempts_started = integer(get("ats")) or 0
        job.attempts_made = integer(get("attemptsMade") or get("atm")) or 0
        job.stacktrace = []
        for field, text in fields.items():
            if (known := _RARER.get(field)) and text:
                setattr(job, known[0], known[1](text))
        return job

    @classmethod
    async def from_id(cls, owner: QueueBase, job_id: str) -> Self | None:
        """The job, or None when there is none of that id."""
        if not job_id:
            return None
        found = await owner.client.command("HGETALL", owner.keys.job(job_id))
        return cls.from_fields(owner, dict(zip(found[::2], found[1::2], strict=True)), job_id) if found else None


#: The order in which Node writes the flags into `parent`.
_FLAGS = {
    option: PARENT_FLAGS[option]
    for option in (
        "failParentOnFailure",
        "removeDependencyOnFailure",
        "ignoreDependencyOnFailure",
        "continueParentOnFailure",
    )
}


def integer(text: str | None) -> int | None:
    """JavaScript's `parseInt`; None for NaN."""
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    found = _LEADING_INTEGER.match(text)
    return int(found[1]) if found else None


def lenient(text: str | None) -> Any:
    try:
        return loads(text) if text else None
    except ValueError:
        return None


def _traces(text: str) -> list[str]:
    traces = lenient(text)
    return traces if isinstance(traces, list) else []


def _same(text: str) -> str:
    return text


#: What not every job's hash has: the attribute, and how it is read.
_RARER: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "progress": ("progress", loads),
    "finishedOn": ("finished_on", integer),
    "processedOn": ("processed_on", integer),
    "stc": ("stalled_counter", lambda text: integer(text) or 0),
    "failedReason": ("failed_reason", _same),
    "defa": ("deferred_failure", _same),
    "pb": ("processed_by", _same),
    "nrjid": ("next_repeatable_job_id", _same),
    "rjk": ("repeat_job_key", _same),
    "deid": ("deduplication_id", _same),
    "parentKey": ("parent_key", _same),
    "parent": ("parent", loads),
    "stacktrace": ("stacktrace", _traces),
    "returnvalue": ("returnvalue", lenient),
}
