"""Names of connections, as Node gives them."""

from __future__ import annotations

from compat.wire.clients import events_client, worker_client


def test_names_end_in_the_queue_in_base64() -> None:
    assert worker_client("bull", "q1") == "bull:cTE="
    assert worker_client("bull", "q1", "nm") == "bull:cTE=:w:nm"
    assert events_client("bull", "q1") == "bull:cTE=:qe"
    assert worker_client("{bull}", "mäil") == "{bull}:bcOkaWw="
