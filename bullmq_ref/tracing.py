"""Tracing: spans around what queues and workers do, with Node's names, and the metadata that joins them over Redis."""

from __future__ import annotations

import enum
import functools
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar, cast

Attributes = Mapping[str, Any]

Method = TypeVar("Method", bound=Callable[..., Awaitable[Any]])


class Kind(enum.Enum):
    """What a span stands for, as OpenTelemetry has it."""

    INTERNAL = 0
    PRODUCER = 3
    CONSUMER = 4


class Span(Protocol):
    """One span under way. Attributes that are None are left out."""

    @property
    def metadata(self) -> str:
        """What travels with a job (its option `telemetry.metadata`, `tm` in Redis), so that the trace goes on."""

    def set(self, attributes: Attributes) -> None: ...

    def event(self, name: str, attributes: Attributes) -> None: ...


class Telemetry(Protocol):
    """Makes spans: `bullmq_ref.opentelemetry.OpenTelemetry`, or one's own."""

    def span(self, name: str, kind: Kind, source: str | None = None) -> AbstractContextManager[Span]:
        """A span that is the current one inside of `with`, and notes what is raised there. Its parent is the one that
        wrote the metadata `source`, else the current one."""


class Traced(Protocol):
    """An object whose work is told of in spans; without `telemetry` in none."""

    name: str
    telemetry: Telemetry | None


def begin(
    telemetry: Telemetry,
    queue: str,
    operation: str,
    kind: Kind = Kind.INTERNAL,
    *,
    destination: str | None = None,
    source: str | None = None,
    attributes: Attributes | None = None,
) -> AbstractContextManager[Span]:
    """A span named `<operation> <destination>`, the queue's name by default."""
    destination = queue if destination is None else destination
    name = f"{operation} {destination}" if destination else operation
    told = {"bullmq.queue.name": queue, "bullmq.queue.operation": operation, **(attributes or {})}
    return _Begun(telemetry.span(name, kind, source), told)


class _Begun(AbstractContextManager[Span]):
    """A span that says first what it is about."""

    def __init__(self, span: AbstractContextManager[Span], attributes: Attributes) -> None:
        self._span, self._attributes = span, attributes

    def __enter__(self) -> Span:
        span = self._span.__enter__()
        span.set(self._attributes)
        return span

    def __exit__(self, *raised: Any) -> bool | None:
        return self._span.__exit__(*raised)


def maybe(
    telemetry: Telemetry | None,
    queue: str,
    operation: str,
    attributes: Attributes,
    kind: Kind = Kind.INTERNAL,
    *,
    destination: str | None = None,
    source: str | None = None,
) -> AbstractContextManager[Span | None]:
    """`begin` where there is telemetry. For what is not done for every job."""
    if telemetry is None:
        return nullcontext()
    return begin(telemetry, queue, operation, kind, destination=destination, source=source, attributes=attributes)


def traced(
    operation: str,
    attributes: Callable[..., Attributes] | None = None,
    *,
    result: Callable[[Any], Attributes] | None = None,
    kind: Kind = Kind.INTERNAL,
) -> Callable[[Method], Method]:
    """Put a method of a `Traced` into a span of Node's name `operation`. `attributes` says from its arguments (without
    `self`), and `result` from what it returned, what the span is told."""

    def decorate(method: Method) -> Method:
        async def in_span(telemetry: Telemetry, self: Traced, *args: Any, **keywords: Any) -> Any:
            told = attributes(*args, **keywords) if attributes is not None else {}
            with begin(telemetry, self.name, operation, kind, attributes=told) as span:
                returned = await method(self, *args, **keywords)
                if result is not None:
                    span.set(result(returned))
                return returned

        @functools.wraps(method)
        def choose(self: Traced, *args: Any, **keywords: Any) -> Awaitable[Any]:
            if self.telemetry is None:
                return method(self, *args, **keywords)
            return in_span(self.telemetry, self, *args, **keywords)

        return cast(Method, choose)

    return decorate


def carried(options: Mapping[str, Any]) -> str | None:
    """The metadata that a job carries."""
    return (options.get("telemetry") or {}).get("metadata") or None


def omits(options: Mapping[str, Any]) -> bool:
    """Whether a job is to carry no metadata."""
    return bool((options.get("telemetry") or {}).get("omitContext"))


def carry(options: dict[str, Any], span: Span) -> None:
    """Let a job carry the span's metadata, unless it carries some already or is to carry none: then a bare false, which
    Node's addBulk stores as `tm`."""
    given = options.get("telemetry") or {}
    metadata = given.get("metadata") or (not given.get("omitContext") and span.metadata)
    options["telemetry"] = {**given, "metadata": metadata}
