"""The mirror on real queues: Node is production, bullmq_ref the new worker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections import Counter
from typing import Any

from bullmq_ref import FlowProducer, Job, Queue, UnrecoverableError

CAUGHT_UP = ("--from", "start", "--until-caught-up", "--for", "100s")


def job(name: str, data: Any = None, **opts: Any) -> dict[str, Any]:
    return {"name": name, "data": data or {}, "opts": opts}


ALL = (
    job("sum", {"numbers": [1, 2, 3], "text": "ü\u2028"}),
    job("bad", {"to": "nobody"}, attempts=2),
    job("refused", attempts=3),
    job("flaky", attempts=3, backoff={"type": "fixed", "delay": 1}),
    job("nothing", priority=3),
)


async def faithful(job: Job[Any, Any], token: str) -> Any:
    """The new worker, as it should be."""
    match job.name:
        case "sum":
            return {"total": sum(job.data["numbers"]), "at": 0}
        case "bad":
            raise ValueError(f"no such mailbox: {job.data['to']}")
        case "refused":
            raise UnrecoverableError("refused")
        case "flaky" if job.attempts_made == 0:
            raise ValueError("try again")
        case "flaky":
            return "at last"
    return None


async def wrong(job: Job[Any, Any], token: str) -> Any:
    """The new worker, which disagrees on purpose."""
    match job.name:
        case "sum":
            return {"total": sum(job.data["numbers"][1:]), "at": 0}
        case "bad":
            raise ValueError("no mailbox")
        case "refused":
            return "accepted"
        case "flaky":
            return "at once"
    return None


async def test_a_new_worker_that_does_the_same_is_found_to_do_the_same(scene: Any) -> None:
    await scene.production.run(*ALL)
    async with scene.worker(faithful):
        said = await scene.mirror(*CAUGHT_UP, "--ignore", "root['at']", "--ignore", "duration")
    assert said.code == 0, (said.records, said.err)
    assert (said.end["replayed"], said.end["compared"], said.end["divergent"]) == (5, 5, 0)
    assert len(said.records) == 1, said.records


async def test_on_a_cluster_it_follows_both_queues_to_their_nodes(on_cluster: Any) -> None:
    await on_cluster.production.run(*ALL)
    async with on_cluster.worker(faithful):
        said = await on_cluster.mirror(*CAUGHT_UP, "--ignore", "root['at']", "--ignore", "duration")
    assert (said.code, said.end["compared"]) == (0, 5), (said.records, said.err)


async def test_each_way_of_disagreeing_is_told_with_both_sides(scene: Any) -> None:
    ids = await scene.production.run(*ALL)
    async with scene.worker(wrong):
        said = await scene.mirror(*CAUGHT_UP, "--ignore", "root['at']", "--ignore", "duration")
    assert said.code == 1, said.err
    told = {(d["name"], d["what"]): d for d in said.of("divergence")}
    assert set(told) == {
        ("sum", "returnvalue"),
        ("bad", "failedReason"),
        ("refused", "outcome"),
        ("flaky", "returnvalue"),
        ("flaky", "attempts"),
    }
    total = told["sum", "returnvalue"]
    assert (total["path"], total["production"], total["shadow"], total["job"]) == ("root['total']", "6", "5", ids[0])
    assert (told["flaky", "attempts"]["production"], told["flaky", "attempts"]["shadow"]) == ("2", "1")
    assert told["refused", "outcome"]["production"] == "failed (refused)"
    assert (said.end["divergent"], said.end["found"]["returnvalue"]) == (4, 2)


async def test_what_a_replay_is_given_is_what_production_was_given(scene: Any) -> None:
    await scene.production.run(*ALL)
    async with scene.worker(faithful):
        await scene.mirror(*CAUGHT_UP)
    replays = {replay["name"]: replay for replay in await scene.replays()}
    client = scene.server.client(scene.server.nodes[0])
    original = await client.hgetall(f"{scene.prefix}:q:1")
    assert replays["sum"]["data"] == original[b"data"].decode()
    assert replays["sum"]["timestamp"] == original[b"timestamp"].decode()
    assert '"attempts":3' in replays["flaky"]["opts"]
    assert '"delay":1' in replays["flaky"]["opts"]
    assert replays["nothing"]["priority"] == "0"


async def test_a_driver_stands_in_for_a_worker_and_does_as_production_did(scene: Any) -> None:
    await scene.production.run(*ALL)
    said = await scene.mirror(*CAUGHT_UP, "--impl", "ref")
    assert (said.code, said.end["compared"]) == (0, 5), (said.records, said.err)


async def test_the_shadow_may_be_on_a_server_that_is_started_for_it(scene: Any) -> None:
    await scene.production.run(*ALL)
    said = await scene.mirror(*CAUGHT_UP, "--impl", "ref", "--shadow-server", "embedded")
    assert (said.code, said.end["compared"]) == (0, 5), (said.records, said.err)
    assert await scene.replays() == []
    assert not [key async for key in scene.server.client(scene.server.nodes[0]).scan_iter(match=f"{scene.shadow}*")]


async def test_in_a_terminal_it_shows_how_far_it_is(scene: Any) -> None:
    await scene.production.run(*ALL)
    terminal, end = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *scene.words(*CAUGHT_UP, "--impl", "ref"), stdout=end, stderr=end, env={**os.environ, "COLUMNS": "120"}
    )
    os.close(end)
    shown = await asyncio.to_thread(_all, terminal)
    assert await process.wait() == 0, shown
    assert re.search(r"\d replayed, \d compared, 0 divergent, \d under way, \d+ s behind", shown), shown
    assert "5 jobs replayed, 5 compared" in shown


def _all(terminal: int) -> str:
    """All that is written there, until the last writer has gone."""
    said = b""
    with contextlib.suppress(OSError):  # how Linux says so
        while block := os.read(terminal, 4096):
            said += block
    os.close(terminal)
    return said.decode()


async def test_a_driver_that_stores_something_else_is_found_out(scene: Any) -> None:
    """The official Python port quotes failed reasons; here a worker of the user's does."""

    async def quoting(job: Job[Any, Any], token: str) -> Any:
        raise ValueError('"no such mailbox: nobody"')

    await scene.production.run(job("bad", {"to": "nobody"}))
    async with scene.worker(quoting):
        said = await scene.mirror(*CAUGHT_UP, "--ignore", "duration")
    (found,) = said.of("divergence")
    assert (said.code, found["what"]) == (1, "failedReason")


async def test_a_class_of_durations_is_told_and_decides_nothing(scene: Any) -> None:

    async def slow(job: Job[Any, Any], token: str) -> Any:
        await asyncio.sleep(1.05)  # the work itself

    for job_id in await scene.production.run(job("nothing"), job("nothing")):
        await scene.lasted(job_id, 7)
    async with scene.worker(slow):
        said = await scene.mirror(*CAUGHT_UP)
    assert said.code == 0, said.records
    assert {found["what"] for found in said.of("divergence")} == {"duration"}
    assert said.end["slower"] == 2


async def test_a_job_with_children_is_not_replayed(scene: Any) -> None:
    async with FlowProducer(connection=scene.connection, prefix=scene.prefix) as flows:
        child = {"name": "nothing", "queueName": "q"}
        await flows.add({"name": "nothing", "queueName": "q", "children": [child]})
    await scene.production.work(2)
    async with scene.worker(faithful):
        said = await scene.mirror(*CAUGHT_UP)
    (unread,) = said.of("unread")
    assert "children" in unread["why"]
    assert (said.code, said.end["compared"]) == (0, 1)


async def test_each_end_of_a_job_that_was_retried_has_a_replay_of_its_own(scene: Any) -> None:
    (failed,) = await scene.production.run(job("bad", {"to": "nobody"}))
    async with Queue("q", connection=scene.connection, prefix=scene.prefix) as queue:
        retried = await queue.get_job(failed)
        assert retried is not None
        await retried.retry()
    await scene.production.work(1)
    async with scene.worker(faithful):
        said = await scene.mirror(*CAUGHT_UP, "--ignore", "duration")
    assert (said.of("divergence"), said.code, said.end["compared"]) == ([], 0, 2), said.err
    assert len(await scene.replays()) == 2


async def test_jobs_that_were_removed_at_once_are_named_and_counted(scene: Any) -> None:
    ids = await scene.production.run(job("nothing", removeOnComplete=True), job("nothing"))
    async with scene.worker(faithful):
        said = await scene.mirror(*CAUGHT_UP)
    (unread,) = said.of("unread")
    assert (unread["job"], "removed" in unread["why"]) == (ids[0], True)
    assert (said.code, said.end["compared"], sum(said.end["unread"].values())) == (0, 1, 1)


async def test_trimmed_events_are_a_gap_with_its_size(scene: Any) -> None:
    """A mirror is told to go on from an entry that the stream has lost since."""
    await scene.production.run(job("nothing"))
    async with scene.worker(faithful):
        first = await scene.mirror(*CAUGHT_UP)
        await scene.production.run(job("nothing"), job("nothing"))
        client, events = scene.server.client(scene.server.nodes[0]), f"{scene.prefix}:q:events"
        fresh = await client.xlen(events) - first.end["entries"]
        await client.xtrim(events, maxlen=2, approximate=False)
        said = await scene.mirror(*CAUGHT_UP)
    (gap,) = said.of("gap")
    assert gap["entries"] == fresh - 2 > 0
    assert (said.end["gaps"], said.end["trimmed"]) == (1, gap["entries"])


async def test_a_sample_is_a_share_of_the_jobs_and_always_the_same_one(scene: Any) -> None:
    await scene.production.run(*(job("nothing") for _ in range(60)))
    async with scene.worker(faithful):
        first = await scene.mirror(*CAUGHT_UP, "--sample", "30%")
        names = Counter(replay["name"] for replay in await scene.replays())
        assert 0 < first.end["compared"] == names.total() < 60
        second = await scene.mirror(*CAUGHT_UP, "--sample", "30%", "--restart")
    assert second.end["compared"] == first.end["compared"]


async def test_a_mirror_that_is_begun_anew_lets_the_new_worker_do_all_again(scene: Any) -> None:
    """It may have been mended since."""
    await scene.production.run(*ALL)
    async with scene.worker(wrong):
        assert (await scene.mirror(*CAUGHT_UP, "--ignore", "root['at']")).code == 1
    async with scene.worker(faithful):
        again = await scene.mirror(*CAUGHT_UP, "--ignore", "root['at']", "--ignore", "duration", "--restart")
    assert (again.code, again.end["compared"]) == (0, 5), again.records
    assert len(await scene.replays()) == 10


async def test_without_a_worker_it_says_that_nothing_came_to_an_end(scene: Any) -> None:
    await scene.production.run(job("nothing"))
    said = await scene.mirror("--from", "start", "--for", "300ms", "--wait", "100ms")
    assert (said.code, said.end["waiting"], said.end["compared"]) == (3, 1, 0)
    async with scene.worker(faithful):
        later = await scene.mirror(*CAUGHT_UP)
    assert (later.code, later.end["compared"], later.end["waiting"]) == (0, 1, 0)


async def test_where_it_cannot_look_it_says_why(scene: Any) -> None:
    said = await scene.mirror("--for", "1s")
    assert said.code == 3
    assert "there is no queue 'q'" in said.err
