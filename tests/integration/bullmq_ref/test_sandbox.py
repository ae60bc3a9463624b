"""Processors in children: sandboxes, how they end, and what they may call (FR-1)."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from bullmq_ref import Invalid, Sandbox


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
    make_single: Any, until: Any, file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _, name = file("plain").rpartition(":")
    monkeypatch.syspath_prepend(str(Path(path).parent))
    queue = make_single.queue()
    make_single.worker(Sandbox(f"{Path(path).stem}:{name}", environment={"X": "1"}))
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
