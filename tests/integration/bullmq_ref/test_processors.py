"""Processors of every kind, cancelled and timed out, and services that stop when told (FR-1)."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import signal
import subprocess
import sys
import threading
from functools import partial
from typing import Any

import pytest

from bullmq_ref import AttemptCancelled, AttemptTimedOut, BullMQError, Invalid, LockLost, from_thread

_left: contextvars.ContextVar[Any] = contextvars.ContextVar("left", default="nothing")

# --- functions -------------------------------------------------------------------------------------------------------


async def test_a_plain_function_does_not_block_the_event_loop(make_single: Any, until: Any) -> None:
    queue, go, held = make_single.queue(), threading.Event(), []

    def hold(job: Any, token: str) -> str:
        from_thread(job.update_progress(job.data["n"]))
        held.append(threading.current_thread())
        go.wait(10)
        return "held"

    worker = make_single.worker(hold, concurrency=2)
    jobs = await queue.add_bulk([{"name": "n", "data": {"n": n}} for n in range(5)])
    await until(lambda: len(held) == 2)  # the loop runs on
    assert len(set(held)) == 2
    assert threading.main_thread() not in held
    worker.concurrency = 3
    go.set()
    for job in jobs:
        await until(job.is_completed)
    assert [(await queue.get_job(job.id)).progress for job in jobs] == [0, 1, 2, 3, 4]


async def test_anything_that_can_be_called_may_be_the_processor(make_single: Any, until: Any) -> None:
    class Callable_:
        async def __call__(self, job: Any, token: str) -> str:
            return "object"

    async def of_three(first: str, job: Any, token: str) -> str:
        return first

    processors = {
        "object": Callable_(),
        "partial": partial(of_three, "partial"),
        "lambda": lambda job, token: of_three("lambda", job, token),
        "builtin": lambda job, token: "builtin",
    }
    for name, processor in processors.items():
        queue = make_single.queue(name)
        make_single.worker(processor, name)
        job = await queue.add("n", {})
        await until(job.is_completed)
        assert (await queue.get_job(job.id)).returnvalue == name


async def test_a_plain_function_that_stops_an_iteration_fails_its_job(make_single: Any, until: Any) -> None:
    queue = make_single.queue()
    make_single.worker(lambda job, token: next(iter([])))
    job = await queue.add("n", {})
    await until(job.is_failed)
    assert (await queue.get_job(job.id)).failed_reason == "the processor raised StopIteration()"


async def test_a_call_from_no_thread_of_a_processor_is_refused() -> None:
    async def work() -> None: ...

    with pytest.raises(BullMQError, match="no thread of a processor"):
        from_thread(work())


# --- cancellation and time -------------------------------------------------------------------------------------------


async def test_a_cancelled_job_fails_with_the_reason_and_is_tried_again(make: Any, until: Any) -> None:
    queue, seen, errors = make.queue(), [], []

    async def first_time_long(job: Any, token: str) -> str:
        if job.attempts_started > 1:
            return "second"
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            seen.append(str(error))
            raise
        return "never"

    worker = make.worker(first_time_long)
    worker.on("failed", lambda job, error, prev: errors.append(error))
    job = await queue.add("n", {}, attempts=2)
    await until(lambda: worker.cancel_job(job.id, "not wanted any more"))
    await until(job.is_completed)
    assert seen == ["not wanted any more"]
    assert [(type(error), str(error)) for error in errors] == [(AttemptCancelled, "not wanted any more")]
    assert worker.cancel_job(job.id) is False
    assert (await queue.get_job(job.id)).attempts_made == 2


async def test_a_processor_may_answer_its_cancellation(make_single: Any, until: Any) -> None:
    queue = make_single.queue()

    async def answer(job: Any, token: str) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if job.name == "raise":
                raise ValueError("cleaned up") from None
        return "half"

    worker = make_single.worker(answer, concurrency=2)
    half, cleaned = await queue.add("return", {}), await queue.add("raise", {})
    await until(half.is_active)
    await until(cleaned.is_active)
    await until(lambda: len(worker._attempts._under_way) == 2)
    assert worker.cancel_all_jobs() == 2
    await until(half.is_completed)
    await until(cleaned.is_failed)
    assert (await queue.get_job(half.id)).returnvalue == "half"
    assert (await queue.get_job(cleaned.id)).failed_reason == "cleaned up"


async def test_a_processor_that_cancels_itself_at_its_end_has_done_its_job(make_single: Any, until: Any) -> None:
    queue = make_single.queue()

    async def cancel(job: Any, token: str) -> str:
        assert worker.cancel_job(job.id)
        return "done"

    worker = make_single.worker(cancel)
    job = await queue.add("n", {})
    await until(job.is_completed)
    after = await queue.add("n", {})
    await until(after.is_completed)


async def test_what_one_attempt_leaves_in_its_context_or_its_task_is_not_the_nexts(
    make_single: Any, until: Any
) -> None:
    """(T046) Attempts follow each other in one task, as long as the end of one brings the next job."""
    queue, seen, tasks = make_single.queue(), [], set()
    await queue.add_bulk([{"name": "n", "data": number} for number in range(9)])

    async def leave(job: Any, token: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        seen.append((_left.get(), task.cancelling()))
        _left.set(job.data)
        if job.data % 3 == 2:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    worker = make_single.worker(leave)
    await until(lambda: len(seen) == 9)
    await worker.close()
    assert seen == [("nothing", 0)] * 9
    assert len(tasks) == 3
    assert (await queue.get_job_counts("completed"))["completed"] == 9


async def test_a_worker_that_may_do_more_at_once_does_so_at_the_end_of_an_attempt(make: Any, until: Any) -> None:
    """As in Node, and though the end of that attempt brought a job along."""
    queue, under_way, go = make.queue(), set(), asyncio.Semaphore(0)
    await queue.add_bulk([{"name": "n"}] * 6)

    async def hold(job: Any, token: str) -> None:
        under_way.add(job.id)
        await go.acquire()
        under_way.discard(job.id)

    worker = make.worker(hold)
    await until(lambda: under_way == {"1"})
    worker.concurrency = 3
    go.release()
    await until(lambda: under_way == {"2", "3", "4"})
    worker.concurrency = 1
    for _ in range(2):
        go.release()
    await until(lambda: len(under_way) == 1)
    assert (await queue.get_job_counts("active", "wait")) == {"active": 1, "wait": 2}
    for _ in range(3):
        go.release()
    await until(lambda: go._value == 0 and not under_way)


@pytest.mark.parametrize("kind", ["coroutine", "thread", "child"])
async def test_an_attempt_that_takes_too_long_fails(make_single: Any, until: Any, file: Any, kind: str) -> None:
    queue, told, go = make_single.queue(), [], threading.Event()

    async def long(job: Any, token: str) -> None:
        await asyncio.Event().wait()

    def block(job: Any, token: str) -> None:
        go.wait(10)

    processor = {"coroutine": long, "thread": block, "child": file("hang")}[kind]
    worker = make_single.worker(processor, timeout=1500 if kind == "child" else 50)
    worker.on("failed", lambda job, error, prev: told.append(error))
    job = await queue.add("n", {})
    if kind == "child":
        children = await until(lambda: list(worker._processors._children._all))
        children[0]._writer.wait_closed = children[0]._process.wait  # it has all the time to end by itself
    assert isinstance((await until(lambda: told))[0], AttemptTimedOut)
    assert await job.is_failed()
    assert str(told[0]).startswith("The attempt took longer than ")
    go.set()
    if kind == "child":
        assert children[0]._process.returncode == -signal.SIGKILL


async def test_a_function_that_hangs_in_its_thread_keeps_no_job_waiting(make_single: Any, until: Any) -> None:
    queue, go = make_single.queue(), threading.Event()
    worker = make_single.worker(lambda job, token: go.wait(15) if job.name == "hangs" else "done")
    hangs = await queue.add("hangs", {})
    await until(lambda: worker.cancel_job(hangs.id))
    await until(hangs.is_failed)
    job = await queue.add("n", {})
    await until(job.is_completed)
    assert not go.is_set()
    go.set()


async def test_an_error_of_time_that_is_the_processors_own_is_left_alone(make_single: Any, until: Any) -> None:
    queue = make_single.queue()

    async def late(job: Any, token: str) -> None:
        raise TimeoutError("a server was slow")

    make_single.worker(late, timeout=10_000)
    job = await queue.add("n", {})
    await until(job.is_failed)
    assert (await queue.get_job(job.id)).failed_reason == "a server was slow"
    with pytest.raises(Invalid, match="timeout must be greater than 0 ms, got 0"):
        make_single.worker(late, timeout=0)


async def test_a_lost_lock_cancels_the_processor_if_asked(make: Any, until: Any) -> None:
    """(T055)"""
    queue, lost, ended = make.queue(), [], asyncio.Event()

    async def hold(job: Any, token: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    worker = make.worker(hold, lock_duration=400, cancel_on_lock_loss=True)
    worker.on("lock_renewal_failed", lambda job_id, error: lost.append((job_id, type(error), error.job)))
    job = await queue.add("n", {})
    await until(job.is_active)
    await queue.client.command("SET", queue.keys.job(job.id, "lock"), "another")
    await asyncio.wait_for(ended.wait(), 10)
    assert lost == [(job.id, LockLost, job.id)]


# --- services --------------------------------------------------------------------------------------------------------

SERVICE = """
import asyncio, sys
from bullmq_ref import Queue, Worker, run_until_signal

async def main(url, prefix, how):
    go = asyncio.Event()

    async def hold(job, token):
        print("working", flush=True)
        if how == "graceful":
            await asyncio.sleep(0.2)
        else:
            await asyncio.Event().wait()

    async with Queue("q", connection=url, prefix=prefix) as queue:
        await queue.add("n", {})
        worker = Worker("q", hold, connection=url, prefix=prefix)
        worker.on("closing", lambda: print("closing", flush=True))
        came = await run_until_signal(worker)
        print(came.name, await queue.get_job_state("1"), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize(("how", "end"), [("graceful", "SIGTERM completed"), ("second", "SIGTERM active")])
async def test_a_service_closes_its_workers_at_the_first_signal_and_by_force_at_the_second(
    single: Any, prefix: str, how: str, end: str
) -> None:
    """(T129)"""
    host, port = single.nodes[0]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVICE, f"redis://{host}:{port}", prefix, how), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(15):
            assert await process.stdout.readline() == b"working\n"
            process.send_signal(signal.SIGTERM)
            assert await process.stdout.readline() == b"closing\n"
            if how == "second":
                process.send_signal(signal.SIGINT)
            assert (await process.stdout.readline()).decode() == f"{end}\n"
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
