"""Node's public API, taken from the installed package, against ours: nothing is forgotten (FR-8, T096–T108).

Names are compared by spelling alone (`getJobCounts` is `get_job_counts`); what is called otherwise, or left out, stands
in a table with its reason, and a table may not name what Node does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bullmq_ref
from bullmq_ref import (
    FlowProducer,
    Job,
    JobOptions,
    JobScheduler,
    Queue,
    QueueEvents,
    QueueEventsProducer,
    Worker,
    WorkerOptions,
)
from bullmq_ref.base import QueueBase

NODE = Path(__file__).resolve().parents[3] / "node" / "node_modules" / "bullmq" / "dist" / "esm"

#: By Node's class: its file, ours.
CLASSES: dict[str, tuple[str, type]] = {
    "QueueBase": ("queue-base", QueueBase),
    "QueueGetters": ("queue-getters", Queue),
    "Queue": ("queue", Queue),
    "Job": ("job", Job),
    "Worker": ("worker", Worker),
    "FlowProducer": ("flow-producer", FlowProducer),
    "QueueEvents": ("queue-events", QueueEvents),
    "QueueEventsProducer": ("queue-events-producer", QueueEventsProducer),
    "JobScheduler": ("job-scheduler", JobScheduler),
}

#: What we call otherwise.
RENAMED = {
    "waitUntilReady": "ready",
    "startStalledCheckTimer": "start_stalled_check",
    "fromJSON": "from_fields",
    "opts": "options",
    "JobScheduler.upsertJobScheduler": "upsert",
    "JobScheduler.removeJobScheduler": "remove",
    "JobScheduler.getScheduler": "get",
    "JobScheduler.getJobSchedulers": "get_all",
    "JobScheduler.getSchedulersCount": "count",
}

_TEXT = "a job is stored by `new()` and read by `from_fields()`; there is no second text form"
_PYTHON = "options are keywords here, kept under their own names"

#: What we leave out, and why. `Class.name`, or `name` in any class.
LEFT_OUT = {
    "trace": "spans are told of by the library itself",
    "toKey": "`keys` has every key by name",
    "qualifiedName": "`keys.qualified`",
    "redisVersion": "looked at by the worker alone, when it starts",
    "QueueBase.opts": _PYTHON,
    "Queue.opts": _PYTHON,
    "Queue.jobsOpts": "`default_job_options`",
    "Queue.repeat": "`add` with `repeat`, `get_repeatable_jobs`, `remove_repeatable`",
    "Queue.token": "used by nothing in Node either",
    "FlowProducer.keys": "a flow has many queues, each with its own",
    "FlowProducer.opts": _PYTHON,
    "FlowProducer.queueKeys": "a flow has many queues, each with its own",
    "Job.asJSON": _TEXT,
    "Job.asJSONSandbox": "a processor in another process gets its own form of the job",
    "Job.toJSON": _TEXT,
    "Job.optsAsJSON": "`options.encoded`",
    "Job.optsFromJSON": "`options.decoded`",
    "Job.create": "`Queue.add`",
    "Job.createBulk": "`Queue.add_bulk`",
    "Job.addJob": "`Queue.add`",
    "Job.getFailedChildrenValues": "the deprecated name of `get_ignored_children_failures`",
    "Job.addJobLog": "`Queue.add_job_log`",
    "Worker.RateLimitError": "`bullmq_ref.RateLimitError`",
    "Worker.opts": "`options`, all filled in",
    "Worker.delay": "a helper of its own loop",
    "Worker.minimumBlockTimeout": "a helper of its own loop",
    "Worker.processJob": "a helper of its own loop; by hand: `get_next_job` and the job's methods",
    "Worker.repeat": "reached through the queue",
    "Worker.jobScheduler": "reached through the queue",
}

#: Options we leave out, and why.
OPTIONS_LEFT_OUT = {
    "blockingConnection": "Node's own bookkeeping",
    "connection": "a keyword of every object",
    "prefix": "a keyword of every object",
    "settings": "`backoff_strategy`",
    "skipVersionCheck": "nothing is checked before the first command",
    "skipWaitingForReady": "nothing waits",
    "telemetry": "told of by the library itself",
    "useWorkerThreads": "processors in other processes are Python's",
    "workerForkOptions": "processors in other processes are Python's",
    "workerThreadsOptions": "processors in other processes are Python's",
    "prevMillis": "set by schedulers, for their jobs",
    "repeatJobKey": "set by schedulers, for their jobs",
}


async def test_every_public_method_of_node_is_ours_or_left_out_for_a_reason(make_single: Any, node: Any) -> None:
    ours = _ours(make_single)
    missing = []
    for name, members in (await _of_node(node)).items():
        for member in members:
            if {member, f"{name}.{member}"} & LEFT_OUT.keys():
                continue
            if not hasattr(ours[name], RENAMED.get(f"{name}.{member}") or RENAMED.get(member) or snake(member)):
                missing.append(f"{name}.{member}")
    assert not missing, f"Node has {', '.join(missing)}: write them, or say in LEFT_OUT why not"


async def test_what_is_left_out_exists_in_node_and_not_here(make_single: Any, node: Any) -> None:
    ours, members = _ours(make_single), await _of_node(node)
    for entry in LEFT_OUT:
        owner, _, member = entry.rpartition(".")
        owners = [owner] if owner else [name for name in members if member in members[name]]
        assert owners, f"Node has no {entry}"
        for name in owners:
            assert member in members[name], f"Node has no {entry}"
            exists = hasattr(ours[name], snake(member)) and member not in RENAMED
            assert not exists, f"{entry} exists: strike it"


@pytest.mark.parametrize(
    ("files", "ours"),
    [
        (("interfaces/base-job-options", "types/job-options"), JobOptions),
        (("interfaces/worker-options", "interfaces/sandboxed-options"), WorkerOptions),
    ],
)
def test_every_option_of_node_is_ours_or_left_out_for_a_reason(files: tuple[str, ...], ours: Any) -> None:
    """(T011, T013)"""
    fields = set(ours.__dataclass_fields__)
    missing = [option for option in sorted(_options(files)) if snake(option) not in fields]
    assert [option for option in missing if option not in OPTIONS_LEFT_OUT] == []


def test_every_class_that_node_exports_for_users_is_exported() -> None:
    exported = {line.split("/")[-1].strip("';") for line in (NODE / "classes" / "index.d.ts").read_text().splitlines()}
    assert {"queue", "worker", "queue-events-producer", "errors"} <= exported
    for name in (*CLASSES, "DelayedError", "RateLimitError", "UnrecoverableError", "WaitingChildrenError"):
        assert name in ("QueueBase", "QueueGetters") or name in bullmq_ref.__all__


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _ours(make: Any) -> dict[str, Any]:
    """An object of each class."""
    queue = make.queue()
    return {
        "QueueBase": queue,
        "QueueGetters": queue,
        "Queue": queue,
        "Job": Job(queue, "n", {}, {}, "1"),
        "Worker": make.worker(),
        "FlowProducer": make.flows(),
        "QueueEvents": make.events(),
        "QueueEventsProducer": make.producer(),
        "JobScheduler": JobScheduler(queue),
    }


async def _of_node(node: Any) -> dict[str, list[str]]:
    """Public members by class: what its prototype and the class itself have, and the fields its declaration names."""
    found: dict[str, list[str]] = await node(
        """
        const bullmq = require('bullmq');
        const own = (object) => Object.getOwnPropertyNames(object);
        const dull = ['constructor', 'length', 'name', 'prototype'];
        answer = Object.fromEntries(given.classes.map((name) => [name,
            [...own(bullmq[name].prototype), ...own(bullmq[name])].filter((member) => !dull.includes(member))]));
        """,
        classes=list(CLASSES),
    )
    public = {}
    for name, (file, _) in CLASSES.items():
        declared = dict(_declared(file))
        hidden = {member for member, access in declared.items() if access}
        fields = {member for member, access in declared.items() if not access and member != "constructor"}
        public[name] = sorted(member for member in fields | set(found[name]) - hidden if member[0] != "_")
        assert public[name], name
    return public


_MEMBER = re.compile(r"    ((?:(?:private|protected|static|readonly|get|set|abstract) )*)([A-Za-z]\w*)\??(?:[<(:;]|$)")


def _declared(file: str) -> Iterator[tuple[str, str]]:
    """Members of the classes of a declaration, and `private` or `protected` where they are."""
    text = (NODE / "classes" / f"{file}.d.ts").read_text(encoding="utf-8")
    body = text[text.index("export declare class") :]
    for line in re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL).splitlines():
        if found := _MEMBER.match(line):
            yield found[2], next((word for word in ("private", "protected") if word in found[1]), "")


def _options(files: tuple[str, ...]) -> set[str]:
    text = "".join((NODE / f"{file}.d.ts").read_text(encoding="utf-8") for file in files)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).partition("RedisJobOptions")[0]
    return set(re.findall(r"^    (\w+)\?:", text, re.MULTILINE)) - {"block"}
