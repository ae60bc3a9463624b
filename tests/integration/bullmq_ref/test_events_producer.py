"""Events of one's own, and readers that miss none (FR-10, T116–T122)."""

from __future__ import annotations

from typing import Any

import pytest

from bullmq_ref import BullMQError, Invalid


async def test_a_published_event_reaches_readers_as_text(make: Any, until: Any) -> None:
    seen: list[Any] = []
    events = make.events()
    events.on("counted", lambda args, entry: seen.append(args))
    await make.producer().publish_event("counted", {"of": "mail", "n": 1.0, "on": True, "none": None, "2": "two"})
    await until(lambda: seen)
    assert seen == [{"2": "two", "of": "mail", "n": "1", "on": "true", "none": ""}]


async def test_a_published_event_is_what_node_publishes(make_single: Any, node: Any) -> None:
    fields = {"b": "é", "n": 1.5, "big": 1e21, "on": False, "10": "x", "none": None}
    await node(
        """
        const { QueueEventsProducer } = require('bullmq');
        const producer = new QueueEventsProducer('theirs', {prefix: given.prefix, connection: {port: given.port}});
        await producer.publishEvent({eventName: 'e', ...given.fields});
        await producer.close();
        """,
        prefix=make_single.prefix,
        port=make_single.connection.nodes[0][1],
        fields=fields,
    )
    ours, theirs = make_single.producer("ours"), make_single.producer("theirs")
    await ours.publish_event("e", fields)
    written = [await p.client.command("XRANGE", p.keys.events, "-", "+") for p in (ours, theirs)]
    assert written[0][0][1] == written[1][0][1]


async def test_the_stream_is_kept_short(make: Any) -> None:
    producer = make.producer()
    for _ in range(250):
        await producer.publish_event("e", max_events=10)
    assert await producer.client.command("XLEN", producer.keys.events) <= 110


async def test_a_field_that_is_no_text_is_refused(make: Any) -> None:
    with pytest.raises(Invalid, match="the field f of an event is text, got dict: write it as JSON"):
        await make.producer().publish_event("e", {"f": {}})


async def test_a_reader_that_is_ready_misses_nothing(make: Any, until: Any) -> None:
    """TRAP dollar-id: `$` means anew, with each XREAD, what comes after it; a reader must know where it stands."""
    seen: list[str] = []
    events, producer = make.events(last_event_id="$", autorun=False), make.producer()
    events.on("e", lambda args, entry: seen.append(args["n"]))
    await producer.publish_event("e", {"n": "before"})
    events.run()
    await events.ready()
    await events.client.drop()  # between two blocking calls
    for n in range(3):
        await producer.publish_event("e", {"n": n})
    await until(lambda: len(seen) == 3)
    assert seen == ["0", "1", "2"]


async def test_a_listener_for_once_is_called_once(make: Any, until: Any) -> None:
    seen: list[str] = []
    events, producer = make.events(), make.producer()

    def listener(args: Any, entry: str) -> None:
        seen.append(args["n"])

    def unwanted(args: Any, entry: str) -> None:
        seen.append("unwanted")

    events.once("e", listener)
    events.once("e", unwanted)
    events.off("e", unwanted)
    events.on("last", listener)
    for event in ("e", "e", "last"):
        await producer.publish_event(event, {"n": event})
    await until(lambda: "last" in seen)
    assert seen == ["e", "last"]


async def test_objects_close_at_the_end_of_their_block(make: Any) -> None:
    async with make.events() as events, make.producer() as producer, make.queue() as queue:
        assert events.client.connected
        assert producer.client.connected
    for made in (events, producer, queue):
        assert not made.client.connected
        assert made.closing


async def test_a_disconnected_queue_is_closed_at_once(make: Any) -> None:
    queue = make.queue()
    await queue.ready()
    await queue.disconnect()
    assert not queue.client.connected


async def test_a_reader_that_waits_for_events_is_ready(make: Any, until: Any) -> None:
    events = make.events(last_event_id="$")
    for _ in range(2):  # the second time its connection is blocked
        await events.ready()
    assert events.client.connected


async def test_who_waits_for_a_reader_that_cannot_read_is_told_why(make: Any) -> None:
    queue = make.queue()
    await queue.client.command("SET", queue.keys.events, "no stream")
    events = make.events()
    events.on("error", lambda error: None)
    with pytest.raises(BullMQError, match="WRONGTYPE"):
        await events.ready()


async def test_who_waits_for_a_reader_that_is_closed_is_told(make: Any) -> None:
    events = make.events()
    await events.close()
    with pytest.raises(BullMQError, match="was closed"):
        await events.ready()


async def test_a_worker_whose_name_names_no_connection_works(make: Any, until: Any) -> None:
    """CLIENT SETNAME refuses spaces; Node goes without a name then."""
    queue, done = make.queue(), []
    make.worker(lambda job, token: done.append(job.id), name="number one")
    await queue.add("n", {})
    await until(lambda: done)
    assert await queue.get_workers_count() == 0
