"""Spans for OpenTelemetry, as bullmq-otel writes them in Node: traces go on from one language to the other. Needs the
extra `opentelemetry`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.trace import SpanKind, Tracer

from bullmq_ref.tracing import Attributes, Kind, Span

_KINDS = {Kind.INTERNAL: SpanKind.INTERNAL, Kind.PRODUCER: SpanKind.PRODUCER, Kind.CONSUMER: SpanKind.CONSUMER}


class OpenTelemetry:
    """Give it to queues and workers as `telemetry`.

        Queue("mail", telemetry=OpenTelemetry("my-app"))

    `tracer`: the name of a tracer of the global provider, or a Tracer.
    """

    def __init__(self, tracer: str | Tracer = "bullmq", version: str | None = None) -> None:
        self._tracer = trace.get_tracer(tracer, version) if isinstance(tracer, str) else tracer

    def span(self, name: str, kind: Kind, source: str | None = None) -> AbstractContextManager[Span]:
        return self._span(name, kind, source)

    @contextmanager
    def _span(self, name: str, kind: Kind, source: str | None) -> Iterator[Span]:
        parent = propagate.extract(_metadata(source), context.get_current()) if source else None
        span = self._tracer.start_span(name, context=parent, kind=_KINDS[kind])
        # Node makes the carried context the current one of a consumer only
        base = parent if parent is not None and kind is Kind.CONSUMER else context.get_current()
        token = context.attach(trace.set_span_in_context(span, base))
        try:
            yield _Span(span)
        except Exception as error:
            span.record_exception(error)
            raise
        finally:
            context.detach(token)
            span.end()


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def metadata(self) -> str:
        carrier: dict[str, str] = {}
        propagate.inject(carrier, trace.set_span_in_context(self._span))
        return json.dumps(carrier, separators=(",", ":"))

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(_known(attributes))

    def event(self, name: str, attributes: Attributes) -> None:
        self._span.add_event(name, _known(attributes))


def _known(attributes: Attributes) -> Mapping[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


def _metadata(source: str) -> Mapping[str, str]:
    """What another writer may have put there is no reason to fail a job."""
    try:
        carrier = json.loads(source)
    except ValueError:
        return {}
    return carrier if isinstance(carrier, dict) else {}
