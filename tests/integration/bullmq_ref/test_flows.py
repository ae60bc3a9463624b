"""Flows: the same tree added by Node and by us leaves the same, and is read the same (T010, T017, FR-7, FR-8)."""

from __future__ import annotations

import json
import logging
import re
from random import Random
from typing import Any

import pytest

from bullmq_ref import (
    BullMQError,
    CrossSlot,
    FlowJob,
    FlowProducer,
    Invalid,
    JobNode,
    JobOptions,
    Limits,
    Page,
    RedisOptions,
)
from compat.capture import capture

T = 1_700_000_000_000
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
OPEN = "const {FlowProducer, Job} = require('bullmq'); const connection = {port: given.port}; "


@pytest.fixture
def flows(make_single: Any) -> FlowProducer:
    producer: FlowProducer = make_single.flows()
    return producer


@pytest.fixture
def anywhere(make: Any) -> FlowProducer:
    """On both topologies."""
    producer: FlowProducer = make.flows()
    return producer


def leaf(name: str, queue: str = "q", children: tuple[Any, ...] = (), **opts: Any) -> dict[str, Any]:
    node: dict[str, Any] = {"name": name, "queueName": queue, "opts": {"timestamp": T, **opts}}
    return {**node, "children": list(children)} if children else node


TREES: dict[str, list[dict[str, Any]]] = {
    "alone": [leaf("a", priority=3)],
    "family": [leaf("a", children=(leaf("b"), leaf("c", "other", lifo=True)), priority=2, delay=500)],
    "three levels, told level by level": [
        leaf("a", children=(leaf("b", children=(leaf("d", delay=9), leaf("e"))), leaf("c", children=(leaf("f"),))))
    ],
    "how a parent takes a failure": [
        leaf(
            "a",
            children=(
                leaf("b", failParentOnFailure=True),
                leaf("c", continueParentOnFailure=True),
                leaf("d", ignoreDependencyOnFailure=True),
                leaf("e", removeDependencyOnFailure=True),
                leaf("f", failParentOnFailure=False),
            ),
        )
    ],
    "ids of its own": [leaf("a", children=(leaf("b", jobId="mine"), leaf("c", jobId="mine"))), leaf("d", jobId="mine")],
    "deduplicated": [
        leaf("a", children=(leaf("b", deduplication={"id": "d"}), leaf("c", deduplication={"id": "d", "ttl": 9000})))
    ],
    "a payload": [
        {**leaf("é", children=({**leaf("b"), "data": [1.0, -0.0, "\u2028"]},)), "data": {"2": 1, "10": None}}
    ],
    "no children after all": [{**leaf("a"), "children": []}],
    "odd options": [
        leaf("a", children=(leaf("b", backoff=5, attempts=3, keepLogs=2, parent={"id": "x", "queue": "y"}),))
    ],
    "without a parent of that name": [leaf("a", children=(leaf("b"),), parent={"id": "none", "queue": "PREFIX:q"})],
    "another prefix": [leaf("a", children=({**leaf("b", "other"), "prefix": "PREFIX"}, {**leaf("c"), "prefix": ""}))],
}


def named(value: Any, prefix: str) -> Any:
    return json.loads(json.dumps(value).replace("PREFIX", prefix))


async def left(server: Any, prefix: str) -> dict[str, Any]:
    """All keys under a prefix, ids renamed in the order of the keys that hold them."""
    taken = await capture([server.client(server.nodes[0])], prefix, label="", step=0, workers_open=0, workers_idle=0)
    found = {
        name.replace(prefix, "PREFIX"): [k.type, k.text, k.fields, k.items, k.scores, [e.fields for e in k.entries]]
        for name, k in taken.keys.items()
        if not name.endswith((":meta", ":stalled-check"))
    }
    text = json.dumps(found, sort_keys=True).replace(prefix, "PREFIX")
    by_name = {
        UUID.findall(name)[0]: f"<{state[2]['name']}>"
        for name, state in found.items()
        if UUID.search(name) and state[2]
    }
    for uuid, job in by_name.items():
        text = text.replace(uuid, job)
    text = UUID.sub("<an id without a job>", text)
    return {name: _unordered(state) for name, state in json.loads(text).items()}


def _unordered(state: list[Any]) -> list[Any]:
    """Sets have no order; nor have equal scores with random members."""
    return [*state[:3], sorted(state[3]) if state[0] == "set" else state[3], sorted(state[4]), state[5]]


@pytest.mark.parametrize("tree", TREES, ids=str)
async def test_what_is_stored_of_a_flow_equals_what_node_stores(
    single_server: Any, single: RedisOptions, prefix: str, node: Any, tree: str
) -> None:
    """(T026–T030)"""
    ours, theirs = f"{prefix}o", f"{prefix}n"
    one = named(TREES[tree], theirs)
    await node(
        OPEN + "const f = new FlowProducer({prefix: given.prefix, connection});"
        "if (given.flows.length > 1) await f.addBulk(given.flows); else await f.add(given.flows[0]);",
        prefix=theirs,
        port=single.nodes[0][1],
        flows=one,
    )
    async with FlowProducer({"prefix": ours}, connection=single, limits=Limits.node()) as producer:
        await producer.add_bulk(named(TREES[tree], ours))
    stored = await left(single_server, ours)
    assert stored == await left(single_server, theirs)
    assert bool(stored) == (tree != "without a parent of that name")


async def test_the_options_of_a_queue_lie_under_those_of_its_nodes(
    single_server: Any, single: RedisOptions, prefix: str, node: Any
) -> None:
    ours, theirs = f"{prefix}o", f"{prefix}n"
    own = {"parent": {"id": "x", "queue": "y"}, "telemetry": {"metadata": "t"}}  # for which no default stands in
    options = {"q": {"defaultJobOptions": {"attempts": 4, "priority": 2, **own}}}
    flow: Any = leaf("a", children=(leaf("b", priority=7), leaf("c", "other")))
    await node(
        OPEN
        + "await new FlowProducer({prefix: given.prefix, connection}).add(given.flow, {queuesOptions: given.options});",
        prefix=theirs,
        port=single.nodes[0][1],
        flow=flow,
        options=options,
    )
    async with FlowProducer(connection=single, prefix=ours) as producer:
        root = await producer.add(flow, queues_options=options)
    assert [root.job.options["attempts"], root.job.parent] == [4, None]
    assert await left(single_server, ours) == await left(single_server, theirs)


async def test_a_tree_comes_back_with_its_jobs_and_uuids(anywhere: FlowProducer, make: Any) -> None:
    child = FlowJob("b", "other", {"x": 1}, JobOptions(fail_parent_on_failure=True))
    root = await anywhere.add(FlowJob("a", "q", children=[child, leaf("c")]))
    (first, second) = root.children
    assert first is not None
    assert second is not None
    assert all(UUID.fullmatch(node.job.id) for node in (root, first, second))
    assert first.job.parent == {"id": root.job.id, "queueKey": f"{anywhere.prefix}:q", "fpof": True}
    assert first.job.parent_key == f"{anywhere.prefix}:q:{root.job.id}"
    assert await root.job.get_state() == "waiting-children"
    assert await root.job.is_waiting_children()
    assert await first.job.get_state() == "waiting"
    queue = make.queue()
    assert [job.id for job in await queue.get_waiting_children()] == [root.job.id]
    assert (await queue.get_job(second.job.id)).parent == {"id": root.job.id, "queueKey": f"{anywhere.prefix}:q"}


async def test_a_flow_is_stored_whole_or_not_at_all(flows: FlowProducer, make_single: Any) -> None:
    """One bad node refuses them all before Redis is touched."""
    queue = make_single.queue(skip_metas_update=True)
    bad: list[tuple[Any, type[Exception], str]] = [
        (
            leaf("b", failParentOnFailure=True, removeDependencyOnFailure=True),
            Invalid,
            "removeDependencyOnFailure, fail",
        ),
        (leaf("b", jobId="7"), Invalid, "Custom Id cannot be integers"),
        ({**leaf("b"), "data": object()}, TypeError, "object"),
        ({"name": "b"}, Invalid, "queueName, got a mapping with name"),
        (leaf("b", "a:b"), Invalid, "Queue name cannot contain :"),
    ]
    for node, error, words in bad:
        with pytest.raises(error, match=words):
            await flows.add_bulk([leaf("x"), leaf("a", children=(node,))])
    assert await queue.client.command("EXISTS", queue.keys.id, queue.keys.wait) == 0


async def test_a_missing_parent_is_told_to_the_log_alone(
    flows: FlowProducer, make_single: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Node 5.62.0 answers as if all had been added."""
    parent = {"id": "none", "queue": f"{flows.prefix}:q"}
    with caplog.at_level(logging.WARNING, "bullmq_ref"):
        node = await flows.add(leaf("a", parent=parent, children=(leaf("b"),)))
    assert await node.job.get_state() == "unknown"
    assert [record.message.rpartition(": ")[2] for record in caplog.records] == ["-5", "-5"]
    assert await make_single.queue().get_job_counts("waiting", "waiting-children") == {
        "waiting": 0,
        "waiting-children": 0,
        "paused": 0,
    }


async def test_a_flow_survives_scripts_that_redis_forgot(flows: FlowProducer) -> None:
    """No SCRIPT FLUSH tears a transaction: each brings its texts along."""
    tree: Any = leaf("a", children=(leaf("b"), leaf("c"), leaf("d", delay=9000), leaf("e", priority=1)))
    await flows.add(tree)
    await flows.client(flows._queue("q", flows.prefix).keys).command("SCRIPT", "FLUSH")
    root = await flows.add(tree)
    assert await root.job.get_dependencies_count() == {"processed": 0, "unprocessed": 4, "ignored": 0, "failed": 0}


@pytest.fixture
async def raised(flows: FlowProducer, make_single: Any) -> JobNode:
    """A flow with a child of each kind, and a grandchild."""
    tree: Any = leaf(
        "a",
        children=(
            leaf("done", "work", jobId="done"),
            leaf("broken", "work", jobId="broken", failParentOnFailure=True),
            leaf("ignored", "work", jobId="ignored", ignoreDependencyOnFailure=True),
            leaf("pending", "q", jobId="pending", children=(leaf("deep", "deep", jobId="deep"),)),
        ),
        jobId="root",
    )
    root = await flows.add(tree)
    worker = make_single.worker(queue="work")
    for name in ("done", "broken", "ignored"):
        job = await worker.get_next_job("t", block=False)
        assert job.id == name
        await (
            job.move_to_completed([name], "t", False) if name == "done" else job.move_to_failed(ValueError("no"), "t")
        )
    return root


async def test_children_are_told_by_kinds_whose_keys_have_other_names(raised: JobNode, flows: FlowProducer) -> None:
    """TRAP crossed-words: those that failed are not in `failed`, those ignored are."""
    job, work = raised.job, f"{flows.prefix}:work"
    found = await job.get_dependencies()
    assert found.processed == await job.get_children_values() == {f"{work}:done": ["done"]}
    assert found.unprocessed == [f"{flows.prefix}:q:pending"]
    assert found.ignored == await job.get_ignored_children_failures() == {f"{work}:ignored": "no"}
    assert found.failed == [f"{work}:broken"]
    assert found.next_failed_cursor is None
    assert await job.get_dependencies_count("ignored", "failed") == {"ignored": 1, "failed": 1}
    with pytest.raises(Invalid, match="not pending"):
        await job.get_dependencies_count("pending")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"processed": {}},
        {"failed": {"cursor": 1, "count": 1}, "unprocessed": {"count": 5}},
        {"failed": {"cursor": 0, "count": 2}, "ignored": {}, "processed": {"cursor": 0}},
    ],
    ids=str,
)
async def test_pages_of_children_are_nodes_pages(
    raised: JobNode, flows: FlowProducer, single: RedisOptions, node: Any, asked: dict[str, dict[str, int]]
) -> None:
    theirs = await node(
        OPEN + "const q = new Queue('q', {prefix: given.prefix, connection});"
        "answer = await (await Job.fromId(q, 'root')).getDependencies(given.asked);",
        prefix=flows.prefix,
        port=single.nodes[0][1],
        asked=asked,
    )
    ours = await raised.job.get_dependencies(**{kind: Page(**page) for kind, page in asked.items()})
    camel = {re.sub(r"_(.)", lambda m: m[1].upper(), name): getattr(ours, name) for name in ours.__dataclass_fields__}
    assert {name: value for name, value in camel.items() if value is not None} == theirs


@pytest.mark.parametrize("kind", ["processed", "pending"])
@pytest.mark.parametrize("last", [-1, 0])
async def test_a_queue_lists_children_as_nodes_does(
    raised: JobNode, make_single: Any, flows: FlowProducer, node: Any, kind: str, last: int
) -> None:
    queue = make_single.queue()
    script = (
        OPEN + "const q = new Queue('q', {prefix: given.prefix, connection});"
        "const list = (id) => q.getDependencies(id, given.kind, 0, given.last);"
        "answer = [await list('root'), await list('no')];"
    )
    port = make_single.connection.nodes[0][1]
    theirs = await node(script, prefix=flows.prefix, port=port, kind=kind, last=last)
    for job_id, expected in zip(("root", "no"), theirs, strict=True):
        found = await queue.get_dependencies(job_id, kind, 0, last)
        assert {"items": found.items, "jobs": found.jobs, "total": found.total} == expected


async def test_a_page_of_a_large_family_is_scanned_to_its_end(flows: FlowProducer, make_single: Any) -> None:
    await flows.add(leaf("a", jobId="root", children=tuple(leaf("b") for _ in range(1200))))
    queue = make_single.queue()
    whole = await queue.get_dependencies("root", "pending")
    assert len({item["id"] for item in whole.items}) == whole.total == len(whole.jobs) == 1200
    assert len((await queue.get_dependencies("root", "pending", 700, 1049)).items) == 350


def shape(node: JobNode | None) -> Any:
    if node is None:
        return None
    return [node.job.id, *map(shape, node.children)] if node.children else node.job.id


@pytest.mark.parametrize("options", [{}, {"depth": 1}, {"depth": 2}, {"max_children": 1}], ids=str)
async def test_a_flow_is_read_as_deep_as_node_reads_it(
    raised: JobNode, flows: FlowProducer, node: Any, single: RedisOptions, options: dict[str, int]
) -> None:
    script = (
        OPEN + "const f = new FlowProducer({prefix: given.prefix, connection});"
        "const shape = (n) => n ? (n.children ? [n.job.id, ...n.children.map(shape)] : n.job.id) : null;"
        "answer = shape(await f.getFlow({id: 'root', queueName: 'q', ...given.options}));"
    )
    given = {("maxChildren" if name == "max_children" else name): value for name, value in options.items()}
    theirs = await node(script, prefix=flows.prefix, port=single.nodes[0][1], options=given)
    assert shape(await flows.get_flow("root", "q", **options)) == theirs


async def test_a_child_with_a_colon_in_its_id_or_gone_is_not_found(flows: FlowProducer, make_single: Any) -> None:
    """TRAP colon-ids: keys are split at colons, as in Node."""
    await flows.add(leaf("a", jobId="root", children=(leaf("b", jobId="x:y:z"), leaf("c", jobId="gone"))))
    queue = make_single.queue()
    await queue.client.command("DEL", queue.keys.job("gone"))
    assert shape(await flows.get_flow("root", "q")) == ["root", None, None]
    assert await flows.get_flow("nobody", "q") is None


async def test_queues_of_a_flow_must_share_a_slot_in_a_cluster(cluster_server: Any) -> None:
    """(T109, T114)"""
    options = RedisOptions(nodes=tuple((n.host, n.port) for n in cluster_server.nodes), cluster=True)
    async with FlowProducer(connection=options) as producer:
        with pytest.raises(CrossSlot, match="hash tag"):
            await producer.add(leaf("a", children=(leaf("b", "other"),)))
        with pytest.raises(CrossSlot, match="do not"):
            await producer.add(leaf("a", "{a}", children=(leaf("b", "{b}"),)))


async def test_each_slot_of_a_cluster_may_have_flows(cluster_server: Any, prefix: str) -> None:
    options = RedisOptions(nodes=tuple((n.host, n.port) for n in cluster_server.nodes), cluster=True)
    plain = prefix.strip("{}")
    async with FlowProducer(connection=options, prefix=plain) as producer:
        for queue in ("{a}", "{b}", "{c}"):
            root = await producer.add(leaf("a", queue, children=(leaf("b", queue),)))
            assert shape(await producer.get_flow(root.job.id, queue)) == shape(root)


async def test_a_parent_may_ask_for_its_children_while_it_is_active(make: Any) -> None:
    """True: moved; False: nothing is pending; a failed child: refused."""
    queue, worker = make.queue(), make.worker()
    parent = await queue.add("parent", {})
    held = await worker.get_next_job("t", block=False)
    tie = {"id": parent.id, "queue": queue.keys.qualified}
    assert await held.move_to_waiting_children("t") is False
    child = await queue.add("child", {}, parent=tie, fail_parent_on_failure=True)
    assert await held.move_to_waiting_children("t", {"id": "another", "queue": queue.keys.qualified}) is False
    assert await held.move_to_waiting_children("t", {"id": child.id, "queue": queue.keys.qualified}) is True
    assert await parent.get_state() == "waiting-children"
    working = await worker.get_next_job("t", block=False)
    await working.move_to_failed(ValueError("no"), "t")
    released = await worker.get_next_job("t", block=False)
    assert released.deferred_failure == f"child {queue.keys.qualified}:{child.id} failed"
    with pytest.raises(
        BullMQError, match=r"because it has at least one failed child\. moveToWaitingChildren"
    ) as refused:
        await released.move_to_waiting_children("t")
    assert refused.value.symbol == "JobHasFailedChildren"


@pytest.mark.parametrize("option", [None, "failParentOnFailure", "ignoreDependencyOnFailure"])
async def test_a_child_of_another_prefix_releases_its_parent(make: Any, prefix: str, option: str | None) -> None:
    """Whoever finishes it finds the parent's queue by the key that the child names."""
    other = f"{prefix}b"
    opts = {option: True} if option else {}
    root = await make.flows().add({**leaf("a", children=({**leaf("b", **opts), "prefix": other},))})
    worker = make.worker(prefix=other)
    child = await worker.get_next_job("t", block=False)
    assert child.parent_key == f"{prefix}:q:{root.job.id}"
    await (child.move_to_failed(ValueError("no"), "t") if option else child.move_to_completed([1], "t", False))
    assert await root.job.get_state() == "waiting"
    released = await make.worker().get_next_job("t", block=False)
    key = f"{other}:q:{child.id}"
    assert released.id == root.job.id
    assert released.deferred_failure == (f"child {key} failed" if option == "failParentOnFailure" else None)
    assert await released.get_children_values() == ({} if option else {key: [1]})


def grown(random: Random, depth: int = 0) -> dict[str, Any]:
    """A tree by chance."""
    options = {
        "priority": random.choice([0, 0, 3]),
        "delay": random.choice([0, 0, 5000]),
        "lifo": random.random() < 0.2,
        "attempts": random.randrange(4),
        random.choice(
            ["failParentOnFailure", "continueParentOnFailure", "removeDependencyOnFailure", "keepLogs"]
        ): True,
    }
    children = [grown(random, depth + 1) for _ in range(random.randrange(4 - depth))]
    name = f"n{random.randrange(10**9)}"
    return leaf(name, random.choice(["q", "other"]), tuple(children), **options)


async def test_forests_grown_by_chance_are_stored_as_node_stores_them(
    single_server: Any, single: RedisOptions, prefix: str, node: Any
) -> None:
    forests = [[grown(Random(seed * 10 + i)) for i in range(3)] for seed in range(8)]
    await node(
        OPEN + "for (const [i, flows] of given.forests.entries())"
        "  await new FlowProducer({prefix: given.prefix + 'n' + i, connection}).addBulk(flows);",
        prefix=prefix,
        port=single.nodes[0][1],
        forests=forests,
    )
    for number, forest in enumerate(forests):
        async with FlowProducer(connection=single, prefix=f"{prefix}o{number}", limits=Limits.node()) as producer:
            await producer.add_bulk(forest)
        ours = await left(single_server, f"{prefix}o{number}")
        assert len(ours) > 3
        assert ours == await left(single_server, f"{prefix}n{number}")
