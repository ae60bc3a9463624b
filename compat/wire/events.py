"""The events of a queue's stream: which fields each has, in order, and how they are read."""

from __future__ import annotations

from typing import Final

from compat.wire.fields import Codec

#: Event → its fields after `event`, in the order the scripts write them; `prev` stands only in some.
EVENTS: Final[dict[str, tuple[str, ...]]] = {
    "added": ("jobId", "name"),
    "waiting": ("jobId", "prev"),
    "delayed": ("jobId", "delay"),
    "waiting-children": ("jobId", "prev"),
    "active": ("jobId", "prev"),
    "completed": ("jobId", "returnvalue", "prev"),
    "failed": ("jobId", "failedReason", "prev"),
    "retries-exhausted": ("jobId", "attemptsMade"),
    "stalled": ("jobId",),
    "progress": ("jobId", "data"),
    "removed": ("jobId", "prev"),
    "duplicated": ("jobId",),
    "debounced": ("jobId", "debounceId"),
    "deduplicated": ("jobId", "deduplicationId", "deduplicatedJobId"),
    "drained": (),
    "cleaned": ("count",),
    "paused": (),
    "resumed": (),
}

_CODECS: Final = {
    ("completed", "returnvalue"): Codec.CLIENT_JSON,
    ("progress", "data"): Codec.CLIENT_JSON,
    ("delayed", "delay"): Codec.INSTANT,  # the due time itself, not a duration
}


def event_codec(event: str, field: str) -> Codec:
    """How a field of an event is read. What is not known is the text itself."""
    return _CODECS.get((event, field), Codec.RAW)
