"""Job schedulers and repeatable jobs on a server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bullmq_ref import JobScheduler, Limits, RepeatOptions, SchedulerTemplate, clock
from bullmq_ref.errors import BullMQError, Invalid, JobBelongsToJobScheduler

HOUR = 3_600_000
AT = int(datetime(2027, 1, 10, 8, 0, 10, tzinfo=UTC).timestamp() * 1000)
NINE = AT - 10_000 + HOUR


@pytest.fixture
def at() -> Iterator[Any]:
    """Sets the clock, which runs on; it is right again after the test."""

    def set_clock(moment: int) -> None:
        ahead = moment - clock.system()
        clock.use(lambda: clock.system() + ahead)

    set_clock(AT)
    yield set_clock
    clock.use()


async def test_a_scheduler_is_made_shown_and_removed(make: Any, at: Any) -> None:
    queue = make.queue()
    job = await queue.upsert_job_scheduler(
        "nightly",
        RepeatOptions(pattern="0 9 * * *", tz="UTC", limit=5, end_date=datetime(2028, 1, 1, tzinfo=UTC)),
        SchedulerTemplate(name="report", data={"a": 1}, opts={"attempts": 3}),
    )
    assert (job.id, job.name, job.repeat_job_key) == (f"repeat:nightly:{NINE}", "report", "nightly")

    shown = await queue.get_job_scheduler("nightly")
    assert (shown.key, shown.name, shown.next, shown.iteration_count, shown.limit) == ("nightly", "report", NINE, 1, 5)
    assert (shown.pattern, shown.tz, shown.every, shown.start_date) == ("0 9 * * *", "UTC", None, None)
    assert shown.end_date == int(datetime(2028, 1, 1, tzinfo=UTC).timestamp() * 1000)
    assert shown.template == SchedulerTemplate(data={"a": 1}, opts={"attempts": 3})
    assert await queue.get_job_schedulers() == [shown]
    assert await queue.get_job_schedulers_count() == 1

    assert await queue.remove_job_scheduler("nightly") is True
    assert await queue.remove_job_scheduler("nightly") is False
    assert await queue.get_job_scheduler("nightly") is None
    assert await queue.get_job(job.id) is None


async def test_a_date_of_zero_is_none(make: Any, at: Any) -> None:
    queue = make.queue()
    dates = {"startDate": 0, "endDate": 0}
    job = await queue.upsert_job_scheduler("s", {"pattern": "0 9 * * *", "tz": "UTC", **dates})
    assert job.options["repeat"] == {"pattern": "0 9 * * *", "tz": "UTC", "offset": None, "count": 1}
    shown = await queue.get_job_scheduler("s")
    assert (shown.start_date, shown.end_date) == (None, None)


@pytest.mark.parametrize("ask", ["get_job_schedulers", "get_repeatable_jobs"])
async def test_all_records_are_asked_for_at_once(make: Any, monkeypatch: pytest.MonkeyPatch, ask: str) -> None:
    queue = make.queue()
    for name in "abc":
        await queue.upsert_job_scheduler(name, {"every": HOUR})
    command, under_way, most = queue.client.command, 0, 0

    async def counted(*arguments: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await command(*arguments)
        finally:
            under_way -= 1

    monkeypatch.setattr(queue.client, "command", counted)
    assert {record.key for record in await getattr(queue, ask)()} == {"a", "b", "c"}
    assert most == 3


async def test_the_job_of_a_scheduler_cannot_be_removed_by_itself(make: Any) -> None:
    job = await make.queue().upsert_job_scheduler("s", {"every": HOUR})
    with pytest.raises(JobBelongsToJobScheduler):
        await job.remove()


async def test_a_worker_adds_the_next_job_before_it_runs_this_one(make: Any, until: Any, at: Any) -> None:
    queue, seen = make.queue(), []

    async def look(job: Any, token: str) -> None:
        seen.append((job.id, [j.id for j in await queue.get_delayed()]))

    await queue.upsert_job_scheduler("s", {"pattern": "0 * * * *", "tz": "UTC"})
    at(NINE + 5_000)
    make.worker(look)
    await until(lambda: seen)
    assert seen == [(f"repeat:s:{NINE}", [f"repeat:s:{NINE + HOUR}"])]


async def test_a_strategy_of_ones_own_may_be_async_on_both_sides(make: Any, until: Any, at: Any) -> None:
    async def strategy(after: float, repeat: Any, name: str) -> float:
        return after // HOUR * HOUR + HOUR + len(repeat["pattern"])

    queue = make.queue(opts={"settings": {"repeatStrategy": strategy}})
    first = await queue.upsert_job_scheduler("s", {"pattern": "mine"})
    assert first.id == f"repeat:s:{NINE + 4}"
    at(NINE + 5_000)
    make.worker(lambda job, token: None, repeat_strategy=strategy)
    await until(first.is_completed)
    assert [job.id for job in await queue.get_delayed()] == [f"repeat:s:{NINE + HOUR + 4}"]


async def test_a_job_whose_next_one_fails_is_put_off_and_the_error_told(make: Any, until: Any, at: Any) -> None:
    queue, ran, told = make.queue(opts={"settings": {"repeatStrategy": lambda *_: NINE}}), [], []
    job = await queue.upsert_job_scheduler("s", {"pattern": "mine"})
    at(NINE + 5_000)
    worker = make.worker(lambda job, token: ran.append(job), autorun=False)
    worker.on("error", lambda error: told.append(str(error)))
    worker.run()
    await until(lambda: len(told) >= 2)
    assert told[1].startswith("Failed to add repeatable job for next iteration: Validation error, cannot resolve")
    await until(job.is_delayed)
    due = await queue.client.command("ZSCORE", queue.keys.delayed, job.id)
    assert NINE + 7_000 <= float(due) / 4096 < NINE + 60_000  # 2 s after the first attempt
    assert ran == []


async def test_a_job_that_can_neither_be_followed_nor_put_off_is_told_of(make: Any, until: Any, at: Any) -> None:
    """It stays active, and is found by a stalled sweep."""
    queue, told = make.queue(opts={"settings": {"repeatStrategy": lambda *_: NINE}}), []
    job = await queue.upsert_job_scheduler("s", {"pattern": "mine"})
    at(NINE + 5_000)

    async def lose_the_lock(*_: Any) -> float:
        await queue.client.command("DEL", queue.keys.job(job.id, "lock"))
        raise BullMQError("no idea")

    worker = make.worker(repeat_strategy=lose_the_lock)
    worker.on("error", lambda error: told.append(str(error)))
    assert await worker.get_next_job("t", block=False) is None
    assert told[:2] == ["no idea", "Failed to add repeatable job for next iteration: no idea"]
    assert told[2].startswith(f"Failed to move job {job.id} to delayed after scheduling error: Missing lock for job")
    assert await job.is_active()


async def test_what_makes_no_sense_is_refused_before_redis_is_touched(make: Any) -> None:
    queue = make.queue()
    for repeat, text in (
        ({"every": 1, "pattern": "* * * * *"}, r"Both .pattern and .every options are defined"),
        ({}, r"Either .pattern or .every options must be defined"),
        ({"pattern": "* * * * *", "immediately": True, "startDate": 1}, r"Both .immediately and .startDate options"),
        ({"every": 1, "endDate": 1}, r"End date must be greater than current timestamp"),
        ({"pattern": "61 * * * *"}, r"got value 61 expected range 0-59"),
    ):
        with pytest.raises(Invalid, match=text):
            await queue.upsert_job_scheduler("s", repeat)
    assert await queue.get_job_schedulers_count() == 0


async def test_a_template_larger_than_the_limit_is_refused(make: Any) -> None:
    queue = make.queue(limits=Limits(payload=100))
    with pytest.raises(Invalid, match="exceeds the limit 100 bytes"):
        await queue.upsert_job_scheduler("s", {"every": HOUR}, {"data": "x" * 200})


async def test_schedulers_can_be_reached_from_any_object_of_the_queue(make: Any) -> None:
    schedulers = JobScheduler(make.worker())
    job = await schedulers.upsert("s", RepeatOptions(every=HOUR), "n", {"a": 1}, {"priority": 2})
    assert job is not None
    assert await job.get_state() == "prioritized"
    assert [record.key for record in await schedulers.get_all(ascending=True)] == ["s"]
    assert await schedulers.count() == 1
    assert await schedulers.remove("s")


async def test_a_repeatable_job_is_added_listed_and_removed(make: Any, at: Any) -> None:
    queue = make.queue()
    job = await queue.add("n", {"a": 1}, repeat=RepeatOptions(every=HOUR, key="mine"))
    assert job.id == f"repeat:mine:{NINE}"
    (shown,) = await queue.get_repeatable_jobs()
    assert (shown.key, shown.name, shown.every, shown.pattern, shown.next) == ("mine", "n", str(HOUR), None, NINE)
    assert await queue.remove_repeatable_by_key("mine") is True
    assert await queue.remove_repeatable_by_key("mine") is False

    await queue.add("n", {}, repeat={"pattern": "0 9 * * *", "tz": "UTC"}, job_id="x")
    assert await queue.remove_repeatable("n", RepeatOptions(pattern="0 9 * * *", tz="UTC")) is False
    assert await queue.remove_repeatable("n", RepeatOptions(pattern="0 9 * * *", tz="UTC"), "x") is True
    assert await queue.get_delayed() == []


async def test_repeatable_keys_are_hashed_as_node_hashes_them(make_single: Any, node: Any) -> None:
    """(T152)"""
    sha = make_single.queue("sha", opts={"settings": {"repeatKeyHashAlgorithm": "sha256"}})
    await sha.add("ñ", {}, repeat={"every": 1500.5, "endDate": "2090-01-01"}, job_id="x")
    (ours,) = await sha.get_repeatable_jobs()
    host, port = make_single.connection.nodes[0]
    theirs = await node(
        "const queue = new Queue('sha', { connection: { host: given.host, port: given.port }, prefix: given.prefix,"
        " settings: { repeatKeyHashAlgorithm: 'sha256' } });"
        "const removed = await queue.removeRepeatable('ñ', { every: 1500.5, endDate: '2090-01-01' }, 'x');"
        "answer = { removed, left: (await queue.getRepeatableJobs()).length }",
        host=host,
        port=port,
        prefix=make_single.prefix,
    )
    assert len(ours.key) == 64
    assert theirs == {"removed": True, "left": 0}
