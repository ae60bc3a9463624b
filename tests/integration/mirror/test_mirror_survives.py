"""What the mirror lives through: kills, restarts of Redis, Ctrl-C; and that it writes nowhere but under its prefix."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bullmq_ref import Job
from compat.mirror import journal, source
from compat.mirror.mirror import Limits, Mirror
from compat.mirror.opening import Opened, Place, opened
from compat.mirror.verdict import Ignored
from compat.watch.line import Away

DEADLINE = 120  # s; a process that is started takes its time on a busy machine
CAUGHT_UP = ("--from", "start", "--until-caught-up", "--for", "100s", "--ignore", "duration")


def jobs(first: int, last: int, **opts: Any) -> list[dict[str, Any]]:
    return [{"name": "nothing", "data": {"n": n}, "opts": opts} for n in range(first, last)]


async def until(fact: Callable[[], Any]) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            value = fact()
            if await value if isinstance(value, Awaitable) else value:
                return
            await asyncio.sleep(0.02)


class Runs(Counter[int]):
    """A new worker that counts how often it runs each job."""

    async def __call__(self, job: Job[Any, Any], token: str) -> None:
        self[job.data["n"]] += 1


@asynccontextmanager
async def mirror(scene: Any, told: list[Any] | None = None, **limits: Any) -> AsyncIterator[Opened]:
    """A mirror in this process; it is not run yet."""
    places = (Place(scene.url, scene.prefix, "q"), Place(scene.url, scene.shadow, "q"))
    tell = ([] if told is None else told).append
    unhurried = Limits(ignored=Ignored.of(["duration"]), **limits)
    async with opened(*places, unhurried, tell, implementation=None, restart=False) as found:
        yield found


async def leftovers(scene: Any) -> int:
    """How much a mirror has noted and not done with."""
    client = scene.server.client(scene.server.nodes[0])
    base = f"{scene.shadow}:mirror-of:{scene.prefix}/q"
    return int(await client.hlen(f"{base}:todo")) + int(await client.hlen(f"{base}:pending"))


class Killed(Exception):
    pass


STEPS = pytest.mark.parametrize(
    "step", ["journal.note", "adder.add", "journal.added", "journal.ends", "journal.compared"]
)


def struck(one: Mirror, step: str, error: Exception, *, after: bool) -> None:
    """Let a step fail the first time that it does something, before or after it has."""
    owner: Any = one._journal if step.startswith("journal") else one._adder
    name = step.partition(".")[2]
    real = getattr(owner, name)

    async def once(*arguments: Any) -> Any:
        if name == "note" and not arguments[2]:  # where the mirror begins
            return await real(*arguments)
        setattr(owner, name, real)
        if after:
            await real(*arguments)
        raise error

    setattr(owner, name, once)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@STEPS
async def test_a_mirror_that_is_killed_anywhere_is_continued_without_a_second_replay(
    scene: Any, step: str, after: bool
) -> None:
    """What the first mirror had written is all that the second one knows."""
    await scene.production.run(*jobs(0, 8))
    runs, told = Runs(), list[Any]()
    async with scene.worker(runs):
        async with mirror(scene, told, begin="start", caught_up=True) as (one, _, _):
            struck(one, step, Killed(), after=after)
            with pytest.raises(Killed):
                await asyncio.wait_for(one.run(asyncio.Event()), DEADLINE)
        async with mirror(scene, told, begin="start", caught_up=True) as (two, _, _):
            await asyncio.wait_for(two.run(asyncio.Event()), DEADLINE)
        assert two.resumed
        await until(lambda: len(runs) == 8)
    assert runs == dict.fromkeys(range(8), 1)
    assert len(await scene.replays()) == 8
    assert await leftovers(scene) == 0
    assert told == []


@STEPS
async def test_a_step_whose_answer_was_lost_is_made_again_and_has_no_second_effect(scene: Any, step: str) -> None:
    await scene.production.run(*jobs(0, 8))
    runs, told, lost = Runs(), list[Any](), Away("the answer was lost")
    async with scene.worker(runs), mirror(scene, told, begin="start", caught_up=True) as (one, _, _):
        struck(one, step, lost, after=True)
        await asyncio.wait_for(one.run(asyncio.Event()), DEADLINE)
    assert runs == dict.fromkeys(range(8), 1)
    assert len(await scene.replays()) == one.counts.compared == 8
    assert await leftovers(scene) == 0
    assert told == [lost, None]


async def test_a_process_that_gets_sigkill_is_continued_by_the_next(scene: Any) -> None:
    await scene.production.run(*jobs(0, 10))
    runs = Runs()
    async with scene.worker(runs):
        process = await asyncio.create_subprocess_exec(
            *scene.words("--from", "start"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        await until(scene.replays)
        process.kill()
        await process.communicate()
        await scene.production.run(*jobs(10, 20))
        said = await scene.mirror(*CAUGHT_UP)
    assert said.code == 0, (said.records, said.err)
    assert runs == dict.fromkeys(range(20), 1)
    assert (said.end["waiting"], await leftovers(scene)) == (0, 0)


async def test_redis_may_restart_under_a_mirror_at_work(on_own: Any) -> None:
    scene, told, over = on_own, list[Any](), asyncio.Event()
    await scene.production.run(*jobs(0, 3))
    runs = Runs()
    async with scene.worker(runs), mirror(scene, told, begin="start") as (one, _, _):
        running = asyncio.create_task(one.run(over))
        await until(lambda: one.counts.compared == 3)
        port = scene.server.nodes[0].port
        scene.server.power.kill(port)
        await until(lambda: any(isinstance(item, Away) for item in told))
        scene.server.power.restart(port)
        await until(lambda: told[-1] is None)
        await scene.production.run(*jobs(3, 6))
        await until(lambda: one.counts.compared == 6)
        over.set()
        await asyncio.wait_for(running, DEADLINE)
    assert runs == dict.fromkeys(range(6), 1)
    assert {type(item) for item in told} == {Away, type(None)}  # and no divergence


async def test_a_job_that_is_removed_at_its_end_is_mirrored_if_it_was_seen_waiting(scene: Any) -> None:
    over = asyncio.Event()
    await scene.production.run(*jobs(0, 1))
    runs = Runs()
    async with scene.worker(runs), mirror(scene) as (one, _, _):
        running = asyncio.create_task(one.run(over))
        await until(lambda: one._standing.cursor)  # it has begun
        ids = await scene.production.add(*jobs(1, 4, removeOnComplete=True))
        await until(lambda: all(job in one._hand for job in ids))
        await scene.production.work(3)
        await until(lambda: one.counts.compared == 3)
        over.set()
        await asyncio.wait_for(running, DEADLINE)
    assert runs == {1: 1, 2: 1, 3: 1}
    assert not one.counts.unread


async def test_data_that_is_too_much_for_one_round_is_read_in_several(scene: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(source, "_TOGETHER", 3)
    monkeypatch.setattr(source, "BYTES", 20)  # so that three jobs are too much
    monkeypatch.setattr(source, "LARGEST", 10)
    await scene.production.run(*jobs(0, 10), {"name": "nothing", "data": {"n": 10, "much": "x" * 20}})
    runs, told = Runs(), list[Any]()
    async with scene.worker(runs), mirror(scene, told, begin="start", caught_up=True) as (one, _, _):
        await asyncio.wait_for(one.run(asyncio.Event()), DEADLINE)
    assert runs == dict.fromkeys(range(10), 1)
    assert [unread.why for unread in told] == ["its data is larger than 10 bytes"]
    assert one._standing.position == one.counts.entries  # no entry was skipped or counted twice


async def test_ctrl_c_ends_it_with_the_summary(scene: Any) -> None:
    await scene.production.run(*jobs(0, 3))
    async with scene.worker(Runs()):
        process = await asyncio.create_subprocess_exec(
            *scene.words("--from", "start", "--ignore", "duration"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

        async def compared() -> bool:
            return len(await scene.replays()) == 3 and await leftovers(scene) == 0

        await until(compared)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert process.returncode == 0, err.decode()
    assert "3 jobs replayed, 3 compared\nno divergence\n" in out.decode()


async def test_a_user_who_may_only_read_production_suffices_and_nothing_is_written_there(on_servers: Any) -> None:
    """Two users: one for each side, with the rules that docs/mirror.md gives."""
    scene = on_servers
    await scene.production.run(*jobs(0, 5))
    clients = [scene.server.client(node) for node in scene.server.nodes]
    before = [await contents(client, scene.prefix) for client in clients]
    for client in clients:
        for user, rules in (("reader", source.acl(scene.prefix, "q")), ("writer", journal.acl(scene.shadow))):
            await client.execute_command("ACL", "SETUSER", user, "reset", "on", ">secret", *rules.split())
    node = scene.server.nodes[0]
    async with scene.worker(Runs()):
        said = await scene.mirror(
            *CAUGHT_UP, "--server", f"redis://reader:secret@{node}", "--shadow-server", f"redis://writer:secret@{node}"
        )
    assert (said.code, said.end["compared"]) == (0, 5), (said.records, said.err)
    assert [await client.acl_log() for client in clients] == [[] for _ in clients]
    assert [await contents(client, scene.prefix) for client in clients] == before
    assert await scene.server.stray_keys([scene.prefix, scene.shadow]) == []
    for name in source.COMMANDS:
        command = name.partition("|")[0]
        about = await clients[0].execute_command("COMMAND", "INFO", command)
        assert "write" not in about[command]["flags"], name


async def test_one_user_with_read_rights_on_production_suffices_too(on_own: Any) -> None:
    """Redis 7 tells reading from writing, key by key: every write outside the mirror's prefix would be refused."""
    scene = on_own
    await scene.production.run(*jobs(0, 5))
    client = scene.server.client(scene.server.nodes[0])
    rules = f"%R~{scene.prefix}:q:* ~{scene.shadow}:* resetchannels +@all -@admin -@dangerous +info"
    await client.execute_command("ACL", "SETUSER", "mirror", "reset", "on", ">secret", *rules.split())
    async with scene.worker(Runs()):
        said = await scene.mirror(*CAUGHT_UP, "--server", f"redis://mirror:secret@{scene.server.nodes[0]}")
    assert (said.code, said.end["compared"]) == (0, 5), (said.records, said.err)
    assert await client.acl_log() == []


async def contents(client: Any, prefix: str) -> dict[bytes, Any]:
    """Every key under a prefix, and what it holds."""
    keys = [key async for key in client.scan_iter(match=f"{prefix}:*", count=1000)]
    return {key: await client.dump(key) for key in sorted(keys)}
