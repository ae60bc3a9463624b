"""Processors of every kind, cancelled and timed out, and services that stop when told (FR-1)."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bullmq_ref import AttemptCancelled, AttemptTimedOut, BullMQError, Invalid, LockLost, Sandbox, from_thread

_left: contextvars.ContextVar[Any] = contextvars.ContextVar("left", default="nothing")

PROCESSORS = """
import asyncio, os, signal, time
from bullmq_ref import DelayedError, UnrecoverableError, from_thread

async def process(job, token):
    await job.update_progress({"id": job.id})
    await job.log("a row")
    await job.update_data({**job.data, "seen": True})
    return {"pid": os.getpid(), "name": job.name, "data": job.data, "token": token == job.token}

def plain(job, token):
    from_thread(job.log("from a thread"))
    return job.data["x"] + 1

def fail(job, token):
    raise {"u": UnrecoverableError, "v": ValueError}[job.name]("for a reason")

async def delay(job, token):
    if job.attempts_started == 1:
        await job.move_to_delayed(0, token)
        raise DelayedError
    return "again"

def die(job, token):
    if job.name == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGKILL)

def hang(job, token):
    from_thread(job.update_progress(os.getpid()))
    time.sleep(60)

async def nothing(job, token):
    pass

def odd(job, token):
    return {1, 2}

class Strange(BaseException):
    pass

async def end_oddly(job, token):
    if job.name == "strange":
        raise Strange
    inner = asyncio.create_task(asyncio.sleep(60))
    inner.cancel("enough")
    await inner

async def call_oddly(job, token):
    given_up = asyncio.create_task(job.log("given up"))
    await asyncio.sleep(0)
    given_up.cancel()
    try:
        await job.update_progress({1, 2})
    except TypeError:
        await job.log("no JSON")
    return "done"

async def call_late(job, token):
    if job.name == "first":
        asyncio.create_task(job.update_progress("of the first"))
    else:
        await job.log("a row")
    return os.getpid()
"""


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    path = tmp_path / "mine.py"
    path.write_text(PROCESSORS)
    return lambda name: f"{path}:{name}"


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


# --- sandboxes -------------------------------------------------------------------------------------------------------


async def test_a_processor_named_by_its_file_runs_in_a_child(make: Any, until: Any, file: Any) -> None:
    queue = make.queue()
    worker = make.worker(file("process"))
    told: list[Any] = []
    worker.on("progress", lambda job, value: told.append(value))
    pids = set()
    for n in range(2):
        added = await queue.add("first", {"x": n})
        await until(added.is_completed)
        job = await queue.get_job(added.id)
        result = job.returnvalue
        pids.add(result.pop("pid"))
        assert result == {"name": "first", "data": {"x": n, "seen": True}, "token": True}
        assert job.data == {"x": n, "seen": True}
        assert (await queue.get_job_logs(job.id)).logs == ["a row"]
    assert told == [{"id": "1"}, {"id": "2"}]
    assert len(pids) == 1
    assert os.getpid() not in pids
    await worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pids.pop(), 0)


async def test_a_module_path_names_a_processor(
    make_single: Any, until: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_processors.py").write_text(PROCESSORS)
    monkeypatch.syspath_prepend(str(tmp_path))
    queue = make_single.queue()
    make_single.worker(Sandbox("my_processors:plain", environment={"X": "1"}))
    job = await queue.add("n", {"x": 1})
    await until(job.is_completed)
    assert (await queue.get_job(job.id)).returnvalue == 2
    assert (await queue.get_job_logs(job.id)).logs == ["from a thread"]


async def test_what_a_child_raises_counts_as_if_it_were_raised_here(make_single: Any, until: Any, file: Any) -> None:
    queue = make_single.queue()
    make_single.worker(file("fail"))
    once, twice = await queue.add("u", {}, attempts=2), await queue.add("v", {}, attempts=2)
    await until(once.is_failed)
    await until(twice.is_failed)
    once, twice = await queue.get_job(once.id), await queue.get_job(twice.id)
    assert (once.attempts_made, twice.attempts_made) == (1, 2)
    assert once.failed_reason == twice.failed_reason == "for a reason"
    assert twice.stacktrace[0].startswith("ValueError: for a reason\n    at fail (")


async def test_a_child_may_move_its_job(make_single: Any, until: Any, file: Any) -> None:
    queue = make_single.queue()
    make_single.worker(file("delay"))
    job = await queue.add("n", {})
    await until(job.is_completed)
    assert (await queue.get_job(job.id)).returnvalue == "again"


async def test_a_result_that_has_no_json_fails_the_job_of_a_child(make_single: Any, until: Any, file: Any) -> None:
    queue = make_single.queue()
    make_single.worker(file("odd"))
    job = await queue.add("n", {})
    await until(job.is_failed)
    assert "set is not JSON serializable" in (await queue.get_job(job.id)).failed_reason


async def test_a_child_that_returns_nothing_completes_with_null(make_single: Any, until: Any, file: Any) -> None:
    queue = make_single.queue()
    make_single.worker(file("nothing"))
    job = await queue.add("n", {})
    await until(job.is_completed)
    assert await queue.client.command("HGET", queue.keys.job(job.id), "returnvalue") == "null"


async def test_a_child_that_dies_fails_its_attempt_with_nodes_text(
    make_single: Any, until: Any, file: Any, node: Any, tmp_path: Path
) -> None:
    queue = make_single.queue()
    make_single.worker(file("die"))
    reasons = {}
    for name in ("exit", "kill"):
        job = await queue.add(name, {})
        await until(job.is_failed)
        reasons[name] = (await queue.get_job(job.id)).failed_reason
    (tmp_path / "die.js").write_text(
        "module.exports = async (job) => { if (job.name === 'exit') process.exit(3);"
        " process.kill(process.pid, 'SIGKILL'); await new Promise((r) => setTimeout(r, 20000)) }"
    )
    host, port = make_single.connection.nodes[0]
    there = await node(
        """
        const connection = { host: given.host, port: given.port };
        const queue = new Queue('n', { connection, prefix: given.prefix });
        const worker = new Worker('n', given.file, {
          connection, prefix: given.prefix, workerForkOptions: { execArgv: [] },
        });
        answer = {};
        for (const name of ['exit', 'kill']) {
          const failed = new Promise((done) => worker.once('failed', (job, error) => done(error.message)));
          await queue.add(name, {});
          answer[name] = await failed;
        }
        await worker.close(true);
        await queue.close();
        """,
        host=host,
        port=port,
        prefix=make_single.prefix,
        file=str(tmp_path / "die.js"),
    )
    assert reasons == there


async def test_a_child_that_died_while_idle_is_given_no_job(make_single: Any, until: Any, file: Any) -> None:
    queue = make_single.queue()
    worker = make_single.worker(file("process"))
    first = await queue.add("n", {})
    await until(first.is_completed)
    pid = (await queue.get_job(first.id)).returnvalue["pid"]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not [child for child in worker._processors._children._all if child._process.returncode is None])
    second = await queue.add("n", {})
    await until(second.is_completed)
    assert (await queue.get_job(second.id)).returnvalue["pid"] != pid
    assert len(worker._processors._children._all) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cancelled", "The processor was cancelled from within: enough"),
        ("strange", "Unexpected exit code: 1 signal: null"),
    ],
)
async def test_a_child_tells_of_every_end(make_single: Any, until: Any, file: Any, name: str, reason: str) -> None:
    queue = make_single.queue()
    make_single.worker(file("end_oddly"))
    job = await queue.add(name, {})
    await until(job.is_failed)
    assert (await queue.get_job(job.id)).failed_reason == reason


async def test_a_call_that_was_given_up_or_could_not_be_made_takes_no_others_answer(
    make_single: Any, until: Any, file: Any
) -> None:
    queue = make_single.queue()
    make_single.worker(file("call_oddly"))
    job = await queue.add("n", {})
    await until(job.is_completed)
    assert (await queue.get_job_logs(job.id)).logs == ["given up", "no JSON"]


async def test_a_call_after_the_end_of_its_job_is_not_made_on_the_next_one(
    make_single: Any, until: Any, file: Any
) -> None:
    queue = make_single.queue()
    make_single.worker(file("call_late"))
    jobs = []
    for name in ("first", "second"):
        job = await queue.add(name, {})
        await until(job.is_completed)
        jobs.append(await queue.get_job(job.id))
    assert jobs[0].returnvalue == jobs[1].returnvalue  # one child
    assert jobs[1].progress == 0
    assert (await queue.get_job_logs(jobs[1].id)).logs == ["a row"]


@pytest.mark.parametrize(
    ("processor", "text"),
    [
        ("nowhere/mine.py", "File nowhere/mine.py does not exist"),
        ("no_such_module:process", "Module no_such_module does not exist; expected package.module:function"),
    ],
)
async def test_a_sandbox_that_is_not_there_is_refused_at_once(make_single: Any, processor: str, text: str) -> None:
    with pytest.raises(Invalid, match=text):
        make_single.worker(processor)


async def test_a_file_without_the_function_fails_the_job(make_single: Any, until: Any, file: Any) -> None:
    queue = make_single.queue()
    make_single.worker(file("missing"))
    job = await queue.add("n", {})
    await until(job.is_failed)
    assert "has no function missing: name it as" in (await queue.get_job(job.id)).failed_reason


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
