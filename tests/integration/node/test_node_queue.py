"""What the oracle's driver does with queues and jobs."""

from __future__ import annotations

import time
from typing import Any

import pytest

Oracle = Any  # see conftest.py

UNDEFINED = {"$undefined": True}
ODD_TEXT = "é😀\u2028\x00\x1f\x7f"


async def test_an_open_queue_has_written_its_meta(oracle: Oracle) -> None:
    """(T026, T113) When `queue.open` is answered, what the constructor writes is there."""
    for number in range(5):
        await oracle.open("queue", f"q{number}", streams={"events": {"maxLen": number}})
        assert await oracle.stored("meta") == {"opts.maxLenEvents": str(number), "version": "bullmq:5.62.0"}


async def test_an_added_job_is_shown_as_nodes_object_shows_itself(oracle: Oracle) -> None:
    """(T027) Properties by Node's names; what is undefined is absent."""
    await oracle.open("queue")
    before = time.time() * 1000
    job = await oracle.call("queue.add", "q", name="email", data={"to": "a@b"}, opts={"priority": 3})
    assert before - 1 <= job.pop("timestamp") <= time.time() * 1000 + 1
    assert job == {
        "id": "1",
        "name": "email",
        "data": {"to": "a@b"},
        "opts": {"attempts": 0, "priority": 3},
        "progress": 0,
        "priority": 3,
        "attemptsMade": 0,
        "attemptsStarted": 0,
        "stalledCounter": 0,
        "stacktrace": None,
        "returnvalue": None,
    }
    assert await oracle.call("queue.getJobState", "q", jobId="1") == "prioritized"


async def test_jobs_in_answers_are_shown_alike_wherever_they_stand(oracle: Oracle) -> None:
    await oracle.open("queue")
    added = await oracle.call("queue.addBulk", "q", jobs=[{"name": "a"}, {"name": "b", "data": 1}])
    assert [(job["id"], job["name"], job.get("data")) for job in added] == [("1", "a", None), ("2", "b", 1)]
    listed = await oracle.call("queue.getJobs", "q", types=["waiting"], start=0, end=-1, asc=True)
    assert [(job["id"], job["data"]) for job in listed] == [("1", {}), ("2", 1)]
    assert await oracle.call("queue.getWaiting", "q") == listed
    assert await oracle.call("queue.getJob", "q", jobId="2") == listed[1]
    assert await oracle.call("queue.getJob", "q", jobId="3") is None


@pytest.mark.parametrize(
    ("sent", "stored", "shown"),
    [
        ({"a": [1, 2.5, None, True]}, '{"a":[1,2.5,null,true]}', {"a": [1, 2.5, None, True]}),
        ({"$number": "NaN"}, "null", None),
        ([{"$number": "-0"}], "[0]", [0]),
        ([{"$int": "9007199254740993"}], "[9007199254740992]", [9007199254740992]),
        ({"a": UNDEFINED, "b": [UNDEFINED]}, '{"b":[null]}', {"b": [None]}),
        (UNDEFINED, "{}", {}),
        (ODD_TEXT, '"é😀\u2028\\u0000\\u001f\x7f"', ODD_TEXT),
        ({"$utf16": "0061 d83d 0062"}, '"a\\ud83db"', {"$utf16": "0061 d83d 0062"}),
        ({"__proto__": 1, "x": 2}, '{"__proto__":1,"x":2}', {"__proto__": 1, "x": 2}),
    ],
    ids=["plain", "NaN", "minus-zero", "beyond-2^53", "undefined-inside", "undefined", "text", "surrogate", "proto"],
)
async def test_values_arrive_as_node_writes_them_and_come_back(
    on_single: Oracle, sent: Any, stored: str, shown: Any
) -> None:
    """(T145, T146, T147)"""
    await on_single.open("queue")
    await on_single.call("queue.add", "q", name="n", data=sent)
    assert (await on_single.stored("1"))["data"] == stored
    await on_single.open("queue", "other")
    assert (await on_single.call("queue.getJob", "other", jobId="1"))["data"] == shown


async def test_an_answer_tags_what_json_cannot_hold(on_single: Oracle) -> None:
    await on_single.open("queue")
    data = {"a": UNDEFINED, "b": {"$number": "-Infinity"}, "c": {"$number": "-0"}, "d": {"$utf16": "dc00"}}
    assert (await on_single.call("queue.add", "q", name="n", data=data))["data"] == data
    bytes_ = await on_single.call("queue.add", "q", name="n", data={"$bytes": "AP8="})
    assert bytes_["data"] == {"$bytes": "AP8="}


VALIDATION: list[tuple[str, dict[str, Any]]] = [
    ("PriorityNotInteger", {"priority": 1.5}),
    ("PriorityOutOfRange", {"priority": 2097153}),
    ("JobIdInteger", {"jobId": "12"}),
    ("JobIdColon", {"jobId": "a:b"}),
    ("JobIdZero", {"jobId": "0"}),
    ("JobIdZero", {"jobId": "0:1:2"}),
    ("SizeLimitExceeded", {"sizeLimit": 1}),
    ("ExclusiveParentOptions", {"failParentOnFailure": True, "removeDependencyOnFailure": True}),
    ("DeduplicationIdMissing", {"deduplication": {"ttl": 1}}),
    ("DebounceIdMissing", {"debounce": {"ttl": 1}}),
    ("JitterOutOfRange", {"backoff": {"type": "fixed", "delay": 1, "jitter": 2}}),
    ("unclassified", {"jobId": 7}),
]


async def test_each_refusal_of_an_add_has_its_symbol(on_single: Oracle) -> None:
    """(T034, T035) All of Node's validation errors, and none of them leaves a key."""
    await on_single.open("queue")
    for symbol, opts in VALIDATION:
        assert await on_single.refused("queue.add", "q", name="n", data={"x": 1}, opts=opts) == symbol, opts
    assert await on_single.call("queue.getJobCounts", "q", types=["waiting", "delayed", "prioritized"]) == {
        "waiting": 0,
        "delayed": 0,
        "prioritized": 0,
        "paused": 0,
    }


async def test_refused_names_and_worker_options_have_symbols_and_leave_no_connection(on_single: Oracle) -> None:
    """(T042) A constructor that throws half way may have connected already."""
    for name, symbol in {"": "QueueNameMissing", "a:b": "QueueNameColon"}.items():
        assert await on_single.refused("queue.open", **{"as": "q", "name": name}) == symbol
    options = {
        "concurrency": "ConcurrencyInvalid",
        "drainDelay": "DrainDelayInvalid",
        "stalledInterval": "StalledIntervalInvalid",
        "maxStalledCount": "MaxStalledCountInvalid",
        "maxStartedAttempts": "MaxStartedAttemptsInvalid",
    }
    for option, symbol in options.items():
        params = {"as": "w", "name": "mail", "opts": {option: -1}}
        assert await on_single.refused("worker.open", **params) == symbol, option


async def test_errors_of_scripts_have_the_symbols_of_their_codes(oracle: Oracle) -> None:
    """(T019)"""
    await oracle.open("queue")
    await oracle.open("worker", "w", processor=False)
    await oracle.call("queue.add", "q", name="n")
    assert await oracle.refused("job.promote", "q", id="1") == "JobNotInState"
    assert await oracle.refused("job.promote", "q", id="none") == "JobNotExist"
    assert await oracle.refused("job.moveToCompleted", "q", id="1", returnValue=1, token="t") == "JobLockNotExist"
    job = await oracle.call("worker.getNextJob", "w", token="t")
    assert job["id"] == "1"
    assert await oracle.refused("job.moveToCompleted", "q", id="1", returnValue=1, token="u") == "JobLockMismatch"
    assert await oracle.refused("job.remove", "q", id="1") == "JobLocked"
    assert await oracle.refused("queue.obliterate", "q") == "ObliterateActiveJobs"


async def test_a_refusal_of_redis_is_a_script_error(on_single: Oracle) -> None:
    await on_single.open("queue")
    client = on_single.server.client(on_single.server.nodes[0])
    await client.set(f"{on_single.prefix}:mail:wait", "not a list")
    assert await on_single.refused("queue.add", "q", name="n") == "ScriptError"


async def test_keys_without_a_hash_tag_are_refused_by_a_cluster(oracle: Oracle) -> None:
    """(T112) Node itself fails so."""
    if oracle.server.topology == "single":
        await oracle.open("queue", prefix=oracle.prefix.strip("{}"))
        await oracle.call("queue.add", "q", name="n")
        await oracle.call("queue.pause", "q")
        await oracle.call("queue.obliterate", "q", opts={"force": True})
    else:
        await oracle.open("queue", prefix=oracle.prefix.strip("{}"))
        assert await oracle.refused("queue.add", "q", name="n") == "CrossSlot"
        assert await oracle.refused("queue.addBulk", "q", jobs=[{"name": "n"}]) == "CrossSlot"
    await oracle.server.delete_prefix(oracle.prefix.strip("{}"))


async def test_every_method_of_a_queue_takes_its_parameters_in_nodes_order(oracle: Oracle) -> None:
    """(T096 to T108) One call of each, with an answer that shows where the parameters went."""
    await oracle.open("queue")

    async def q(method: str, **params: Any) -> Any:
        return await oracle.call(f"queue.{method}", "q", **params)

    await q("add", name="a", opts={"jobId": "a"})
    await q("add", name="b", opts={"jobId": "b", "delay": 60_000})
    await q("add", name="c", opts={"jobId": "c", "priority": 4})
    assert await q("count") == 3
    assert await q("getJobCounts", types=["waiting", "delayed"]) == {"waiting": 1, "delayed": 1, "paused": 0}
    assert await q("getCountsPerPriority", priorities=[0, 4]) == {"0": 1, "4": 1}
    assert [job["id"] for job in await q("getDelayed", start=0, end=0)] == ["b"]
    assert [job["id"] for job in await q("getPrioritized")] == ["c"]
    assert await q("getActive") == await q("getCompleted") == await q("getFailed") == []
    assert await q("addJobLog", jobId="a", row="one", keepLogs=5) == 1
    assert await q("getJobLogs", jobId="a", start=0, end=-1, asc=True) == {"logs": ["one"], "count": 1}
    assert await q("updateJobProgress", jobId="a", progress={"at": 1}) is None
    assert (await q("getJob", jobId="a"))["progress"] == {"at": 1}
    assert await q("getVersion") == "bullmq:5.62.0"
    assert await q("getWorkersCount") == 0
    assert await q("isPaused") is False
    await q("pause")
    assert await q("isPaused") is True
    await q("resume")
    assert await q("setGlobalConcurrency", concurrency=2) == 1
    assert await q("getGlobalConcurrency") == 2
    assert await q("isMaxed") is False
    assert await q("removeGlobalConcurrency") == 1
    assert await q("setGlobalRateLimit", max=3, duration=500) == 2
    assert await q("getGlobalRateLimit") == {"max": 3, "duration": 500}
    assert await q("removeGlobalRateLimit") == 2
    assert await q("getRateLimitTtl", max=1) == 0
    await q("rateLimit", ms=60_000)
    assert 0 < await q("getRateLimitTtl") <= 60_000
    await q("add", name="d", opts={"deduplication": {"id": "d"}})
    assert await q("getDeduplicationJobId", id="d") == "4"
    assert await q("removeDeduplicationKey", id="d") == 1
    assert await q("remove", jobId="4") == 1
    assert await q("promoteJobs", opts={"count": 1}) is None
    assert await q("getJobState", jobId="b") == "waiting"
    assert await q("retryJobs", opts={"state": "failed"}) is None
    assert await q("clean", grace=0, limit=1, type="wait") == ["a"]
    assert await q("trimEvents", maxLength=10) == 0
    assert await q("drain", delayed=True) is None
    assert await q("count") == 0
    assert await q("obliterate") is None


async def test_every_method_of_a_job_takes_its_parameters_in_nodes_order(oracle: Oracle) -> None:
    """(T087 to T095)"""
    await oracle.open("queue")
    await oracle.open("worker", "w", processor=False)

    async def j(method: str, **params: Any) -> Any:
        return await oracle.call(f"job.{method}", "q", id="j", **params)

    async def take() -> Any:
        return await oracle.call("worker.getNextJob", "w", token="t", opts={"block": False})

    await oracle.call("queue.add", "q", name="n", data=1, opts={"jobId": "j", "delay": 60_000, "attempts": 3})
    assert await j("getState") == "delayed"
    assert await j("isDelayed") is True
    assert await j("changeDelay", delay=90_000) is None
    assert (await oracle.stored("j"))["delay"] == "90000"
    assert await j("promote") is None
    assert await j("isWaiting") is True
    assert await j("changePriority", opts={"priority": 5}) is None
    assert await j("updateData", data={"x": 2}) is None
    assert await j("updateProgress", progress=50) is None
    assert [await j("log", row=row) for row in ("a", "b", "c")] == [1, 2, 3]
    assert await j("clearLogs", keepLogs=1) is None
    assert (await oracle.call("queue.getJobLogs", "q", jobId="j"))["logs"] == ["c"]
    taken = await take()
    assert (taken["data"], taken["progress"], taken["attemptsStarted"]) == ({"x": 2}, 50, 1)
    assert await j("isActive") is True
    assert await j("extendLock", token="t", duration=5_000) == 1
    assert await j("moveToDelayed", timestamp=0, token="t") is None
    assert (await take())["attemptsStarted"] == 2
    await j("moveToWait", token="t")
    await take()
    assert await j("moveToFailed", message="boom", token="t") is None
    assert (await oracle.stored("j"))["failedReason"] == "boom"
    await take()
    assert await j("moveToCompleted", returnValue=[1], token="t", fetchNext=False) is None
    assert await j("isCompleted") is True
    assert await j("isFailed") is False
    assert await j("retry", state="completed") is None
    assert await j("getState") == "waiting"
    assert await j("remove") is None
    assert await j("getState") == "unknown"


async def test_a_job_finished_by_hand_answers_with_the_next_one(oracle: Oracle) -> None:
    await oracle.open("queue")
    await oracle.open("worker", "w", processor=False)
    for name in ("a", "b", "c"):
        await oracle.call("queue.add", "q", name=name)
    assert (await oracle.call("worker.getNextJob", "w", token="t"))["name"] == "a"
    following = await oracle.call("job.moveToCompleted", "w", id="1", returnValue=1, token="t")
    assert (following["id"], following["name"], following["attemptsStarted"]) == ("2", "b", 1)
    following = await oracle.call("job.moveToFailed", "w", id="2", message="no", token="t", fetchNext=True)
    assert following["name"] == "c"
    assert await oracle.call("job.moveToCompleted", "w", id="3", returnValue=1, token="t") is None


async def test_names_of_objects_are_held_apart(driver: Any, oracle: Oracle) -> None:
    await oracle.open("queue")
    for method, params, text in [
        ("queue.open", {"as": "q", "name": "x"}, "an object named q is open already"),
        ("worker.pause", {"on": "q"}, "q is of kind queue, not worker"),
        ("queue.count", {"on": "p"}, r"no object named p is open \(open: q\)"),
    ]:
        with pytest.raises(Exception, match=text):
            await driver.call(method, params)
    await oracle.call("queue.close", "q")
    await oracle.open("queue")
