"""A writer of events of one's own into a queue's event stream: Node's `QueueEventsProducer`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bullmq_ref.base import Connection, QueueBase
from bullmq_ref.client import Argument
from bullmq_ref.errors import Invalid
from bullmq_ref.jsjson import Undefined, number, property_order

_KEPT = 1000  # entries


class QueueEventsProducer(QueueBase):
    """Publishes events that `QueueEvents` of the same queue emit, in Node too. `opts` are options with Node's names."""

    def __init__(
        self,
        name: str,
        opts: Mapping[str, Any] | None = None,
        *,
        connection: Connection = None,
        prefix: str | None = None,
    ) -> None:
        opts = opts or {}
        super().__init__(
            name,
            connection=connection if connection is not None else opts.get("connection"),
            prefix=prefix if prefix is not None else opts.get("prefix", "bull"),
        )

    async def publish_event(
        self, event: str, fields: Mapping[str, Any] | None = None, *, max_events: int = _KEPT
    ) -> None:
        """Append `event` with its `fields`, which readers get as text, and shorten the stream to about `max_events`.

        Texts are written as they are, numbers and booleans as JavaScript spells them, None as an empty text. Raises
        Invalid for a field that holds anything else: write it as JSON.
        """
        given = fields or {}
        arguments: list[Argument] = ["MAXLEN", "~", max_events, "*", "event", event]
        for name in property_order(given):
            arguments += [name, _text(name, given[name])]
        await self.client.command("XADD", self.keys.events, *arguments)


def _text(name: str, value: Any) -> str | bytes:
    if isinstance(value, str | bytes):
        return value
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    raise Invalid(f"the field {name} of an event is text, got {type(value).__name__}: write it as JSON", field=name)
