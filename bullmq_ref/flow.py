"""Flows: trees of jobs, in which a parent waits for its children."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NotRequired, Self, TypedDict

from bullmq_ref.base import Connection, QueueBase
from bullmq_ref.client import Client
from bullmq_ref.emitter import Emitter
from bullmq_ref.errors import CrossSlot, Invalid
from bullmq_ref.job import Job
from bullmq_ref.job_family import Page
from bullmq_ref.jsjson import UNDEFINED
from bullmq_ref.keys import Keys
from bullmq_ref.log import logger
from bullmq_ref.options import JobOptions, Limits, job_options
from bullmq_ref.reach import check_options
from bullmq_ref.scripts import adding
from bullmq_ref.scripts.adding import NewJob
from bullmq_ref.tracing import Kind, Span, Telemetry, carry, maybe

QueuesOptions = Mapping[str, Mapping[str, Any]]

_OWN = ("parent", "telemetry")  # options of a node that no default stands in for


class FlowMapping(TypedDict):
    """A node of a flow with Node's names."""

    name: str
    queueName: str
    data: NotRequired[Any]
    opts: NotRequired[Mapping[str, Any]]
    prefix: NotRequired[str]
    children: NotRequired[Sequence[FlowMapping]]


@dataclass(frozen=True, slots=True)
class FlowJob:
    """A job to be, and the children that it waits for. `prefix`: its queue's, where it is not the producer's."""

    name: str
    queue: str
    data: Any = UNDEFINED
    options: JobOptions | Mapping[str, Any] | None = None
    children: Sequence[FlowJob | FlowMapping] = ()
    prefix: str | None = None

    @classmethod
    def of(cls, given: FlowJob | FlowMapping) -> FlowJob:
        """From a mapping with Node's names. Raises Invalid when it names no job or no queue."""
        if isinstance(given, FlowJob):
            return given
        if not isinstance(given, Mapping) or not {"name", "queueName"} <= given.keys():
            seen = f"a mapping with {', '.join(given) or 'nothing'}" if isinstance(given, Mapping) else repr(given)
            raise Invalid(f"A node of a flow has a name and a queueName, got {seen}", field="flow")
        return cls(
            given["name"],
            given["queueName"],
            given.get("data", UNDEFINED),
            given.get("opts"),
            given.get("children") or (),
            given.get("prefix"),
        )


@dataclass(slots=True)
class JobNode:
    """A job of a flow with its children; None stands for a child that is there no more."""

    job: Job[Any, Any]
    children: list[JobNode | None] = field(default_factory=list)


class FlowProducer(Emitter):
    """Adds flows, over as many queues as they have. Options as a queue's; `opts` are the same with Node's names.

    In Cluster all queues of a flow must share a slot: give them a prefix with a hash tag.
    """

    def __init__(
        self,
        opts: Mapping[str, Any] | None = None,
        *,
        connection: Connection = None,
        prefix: str | None = None,
        limits: Limits | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        super().__init__()
        opts = opts or {}
        self.telemetry: Telemetry | None = telemetry or opts.get("telemetry")
        self.prefix: str = prefix if prefix is not None else opts.get("prefix", "bull")
        self.limits = limits or Limits()
        self._redis = check_options(connection if connection is not None else opts.get("connection"))
        self._clients: dict[int | None, Client] = {}
        self._queues: dict[tuple[str, str], _FlowQueue] = {}
        self.closing = False

    async def __aenter__(self) -> Self:
        await self.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ready(self) -> None:
        """Return when Redis has answered. Raises what it answered with, if that is an error."""
        await self.client(Keys("flow", self.prefix)).command("PING")

    async def close(self) -> None:
        """Close the connections once replies under way have come. Always returns."""
        self.closing = True
        await asyncio.gather(*(client.close() for client in self._clients.values()))

    async def disconnect(self) -> None:
        """Close the connections without waiting for replies under way. Always returns."""
        self.closing = True
        await asyncio.gather(*(client.close(now=True) for client in self._clients.values()))

    async def add(self, flow: FlowJob | FlowMapping, *, queues_options: QueuesOptions | None = None) -> JobNode:
        """Add a flow, all of it at once or, when a node is refused, nothing. Nodes without `jobId` get a UUID as id.

        `queues_options`: `{<queue>: {"defaultJobOptions": {…}}}` lie under the options of the nodes in that queue. The
        root may have a `parent` of its own in its options; when that parent is missing nothing is stored, and nobody is
        told but the log, as in Node 5.62.0. Raises Invalid, CrossSlot, and TypeError for data that has no JSON.
        """
        root = FlowJob.of(flow)
        told = {"bullmq.flow.name": root.name}
        with maybe(self.telemetry, root.queue, "addFlow", told, Kind.PRODUCER):
            (node,) = await self._add([root], queues_options or {})
        return node

    async def add_bulk(self, flows: Iterable[FlowJob | FlowMapping]) -> list[JobNode]:
        """Add flows, all at once, as `add` does one."""
        roots = [FlowJob.of(flow) for flow in flows]
        told = {"bullmq.job.bulk.count": len(roots), "bullmq.job.bulk.names": ",".join(root.name for root in roots)}
        with maybe(self.telemetry, "", "addBulkFlows", told, Kind.PRODUCER):
            return await self._add(roots, {})

    async def get_flow(
        self, job_id: str, queue: str, *, prefix: str | None = None, depth: int = 10, max_children: int = 20
    ) -> JobNode | None:
        """A job with its children down to `depth` levels (1: the job alone), of each kind `max_children` or so; None
        when it is missing. Children whose prefix or id holds a colon are not found, as in Node."""
        return await self._node(prefix or self.prefix, queue, job_id, depth, max_children)

    def client(self, keys: Keys) -> Client:
        """The connection that serves a queue: one for all, in Cluster one a slot."""
        tag = keys.slot if self._redis.cluster else None
        if tag not in self._clients:
            self._clients[tag] = Client(self._redis, keys)
        return self._clients[tag]

    # --- adding ------------------------------------------------------------------------------------------------------

    async def _add(self, flows: Iterable[FlowJob], queues_options: QueuesOptions) -> list[JobNode]:
        """Level by level, as Node's promises come to it: all roots, then all their children, and so on."""
        roots: list[JobNode] = []
        new: list[tuple[Keys, NewJob]] = []
        todo: deque[tuple[FlowJob, JobNode | None, str | None]] = deque((flow, None, None) for flow in flows)
        while todo:
            spec, parent, source = todo.popleft()
            told = {"bullmq.job.name": spec.name}
            with maybe(self.telemetry, spec.queue, "addNode", told, Kind.PRODUCER, source=source) as span:
                job, keys = self._job(spec, parent, queues_options, span)
                source = None if span is None else span.metadata
            new.append((keys, job.new(has_children=bool(spec.children))))
            node = JobNode(job)
            (roots if parent is None else parent.children).append(node)
            todo.extend((FlowJob.of(child), node, source) for child in spec.children)
        if new:
            self._check_slots([keys for keys, _ in new])
            replies = await adding.add_together(self.client(new[0][0]), new)
            for (keys, added), reply in zip(new, replies, strict=True):
                if not isinstance(reply, str):
                    logger.warning("job %s of a flow was not added to %s: %s", added.id, keys.qualified, reply)
        return roots

    def _job(
        self, spec: FlowJob, parent: JobNode | None, queues_options: QueuesOptions, span: Span | None
    ) -> tuple[Job[Any, Any], Keys]:
        queue = self._queue(spec.queue, spec.prefix or self.prefix)
        asked = job_options(spec.options, {})
        defaults = job_options(queues_options.get(spec.queue, {}).get("defaultJobOptions"), {})
        options = {**{o: value for o, value in defaults.items() if o not in _OWN}, **asked}
        if parent is not None:
            options["parent"] = {"id": parent.job.id, "queue": f"{parent.job.prefix}:{parent.job.queue_name}"}
        job_id = str(asked.get("jobId") or uuid.uuid4())
        if span is not None:
            span.set({"bullmq.job.id": job_id})
            if spec.options is not None:  # in Node too a node without options carries no trace
                carry(options, span)
        return Job(queue, spec.name, spec.data, options, job_id), queue.keys

    def _check_slots(self, queues: Sequence[Keys]) -> None:
        if self._redis.cluster and len({keys.slot for keys in queues}) > 1:
            names = ", ".join(sorted({keys.qualified for keys in queues}))
            raise CrossSlot(
                f"CROSSSLOT The queues of one flow must share a Cluster slot, but {names} do not. Use one prefix "
                f'with a hash tag for all of them, such as "{{{queues[0].prefix.strip("{}")}}}".'
            )

    # --- reading -----------------------------------------------------------------------------------------------------

    async def _node(self, prefix: str, queue: str, job_id: str, depth: int, most: int) -> JobNode | None:
        job: Job[Any, Any] | None = await Job.from_id(self._queue(queue, prefix), job_id)
        if job is None:
            return None
        page = Page(count=most)
        found = await job.get_dependencies(processed=page, unprocessed=page, ignored=page, failed=page)
        keys = [*(found.processed or ()), *(found.unprocessed or ()), *(found.failed or ()), *(found.ignored or ())]
        if depth == 1:
            return JobNode(job)
        named = (key.split(":", 3) for key in keys)
        children = (self._node(names[0], names[1], names[2], depth - 1, most) for names in named)
        return JobNode(job, list(await asyncio.gather(*children)))

    def _queue(self, name: str, prefix: str) -> _FlowQueue:
        if (prefix, name) not in self._queues:
            self._queues[prefix, name] = _FlowQueue(self, name, prefix)
        return self._queues[prefix, name]


class _FlowQueue(QueueBase):
    """A queue as a flow's jobs know it: reached over the producer's connection; what it tells, the producer tells."""

    def __init__(self, producer: FlowProducer, name: str, prefix: str) -> None:
        super().__init__(name, prefix=prefix, limits=producer.limits, client=producer.client(Keys(name, prefix)))
        self._producer = producer

    def emit(self, event: str, *arguments: Any) -> None:
        self._producer.emit(event, *arguments)
