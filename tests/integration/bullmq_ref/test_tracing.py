"""Spans: the same as Node's, and traces that go on from one language to the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bullmq_ref import FlowProducer
from bullmq_ref.opentelemetry import OpenTelemetry

#: Node's telemetry interface, over W3C trace contexts, as bullmq-otel does it. `spans` are those that have ended.
NODE_TELEMETRY = """
const { randomBytes } = require('crypto');
const { AsyncLocalStorage } = require('async_hooks');
const store = new AsyncLocalStorage(), root = {}, spans = [];
const hex = (n) => randomBytes(n).toString('hex');
const telemetry = {
  tracer: { startSpan(name, { kind }, context) {
    const parent = (context ?? store.getStore() ?? root).span;
    const span = { name, kind, trace: parent ? parent.trace : hex(16), id: hex(8), parent: parent ? parent.id : null,
      attributes: {}, events: [],
      setSpanOnContext: (ctx) => ({ ...ctx, span }),
      setAttribute: (key, value) => { span.attributes[key] = value },
      setAttributes: (values) => { for (const [k, v] of Object.entries(values)) if (v != null) span.attributes[k] = v },
      addEvent: (event, attributes) => span.events.push([event, attributes ?? {}]),
      recordException: () => {},
      end: () => spans.push({ name, kind, trace: span.trace, id: span.id, parent: span.parent,
        attributes: span.attributes, events: span.events }) };
    return span;
  } },
  contextManager: {
    active: () => store.getStore() ?? root,
    with: (context, work) => store.run(context, work),
    getMetadata: ({ span }) => JSON.stringify(span ? { traceparent: `00-${span.trace}-${span.id}-01` } : {}),
    fromMetadata: (context, metadata) => {
      const [, trace, id] = (JSON.parse(metadata).traceparent ?? '').split('-');
      return trace ? { ...context, span: { trace, id } } : context;
    },
  },
};
const [host, port] = [given.host, given.port], opts = { connection: { host, port }, prefix: given.prefix, telemetry };
const ended = (worker, event) => new Promise((done) => worker.once(event, done));
const close = async (...all) => { for (const one of all) await one.close() };
"""


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def telemetry(exporter: InMemorySpanExporter) -> Iterator[OpenTelemetry]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield OpenTelemetry(provider.get_tracer("test"))
    provider.shutdown()


def where(make: Any) -> dict[str, Any]:
    host, port = make.connection.nodes[0]
    return {"host": host, "port": port, "prefix": make.prefix}


def spans_of(exporter: InMemorySpanExporter) -> list[dict[str, Any]]:
    return [
        {
            "name": span.name,
            "kind": {"INTERNAL": 0, "PRODUCER": 3, "CONSUMER": 4}[span.kind.name],
            "trace": f"{span.context.trace_id:032x}" if span.context else "",
            "id": f"{span.context.span_id:016x}" if span.context else "",
            "parent": f"{span.parent.span_id:016x}" if span.parent else None,
            "attributes": json.loads(json.dumps(dict(span.attributes or {}))),
            "events": [[event.name, dict(event.attributes or {})] for event in span.events],
        }
        for span in exporter.get_finished_spans()
    ]


def named(spans: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (span,) = [span for span in spans if span["name"] == name]
    return span


async def test_a_trace_goes_on_from_node_to_python(
    make_single: Any, until: Any, node: Any, telemetry: Any, exporter: Any
) -> None:
    theirs = await node(
        NODE_TELEMETRY
        + "const queue = new Queue('q', opts); await queue.add('n', {}); await close(queue); answer = spans;",
        **where(make_single),
    )
    worker = make_single.worker(lambda job, token: None, telemetry=telemetry)
    await until(lambda: any(span["name"] == "process q" for span in spans_of(exporter)))
    await worker.close()
    add, spans = named(theirs, "add q.n"), spans_of(exporter)
    process, complete = named(spans, "process q"), named(spans, "complete q")
    assert (process["trace"], process["parent"]) == (add["trace"], add["id"])
    assert (complete["trace"], complete["parent"]) == (add["trace"], process["id"])


async def test_a_trace_goes_on_from_python_to_node(make_single: Any, node: Any, telemetry: Any, exporter: Any) -> None:
    queue = make_single.queue(telemetry=telemetry)
    await queue.add("n", {})
    theirs = await node(
        NODE_TELEMETRY
        + """const worker = new Worker('q', async () => 1, opts); await ended(worker, 'completed'); await close(worker);
        answer = spans;""",
        **where(make_single),
    )
    add = named(spans_of(exporter), "add q.n")
    process = named(theirs, "process q")
    assert (process["trace"], process["parent"]) == (add["trace"], add["id"])


async def test_what_is_stored_of_a_trace_is_what_node_stores(
    make_single: Any, until: Any, node: Any, telemetry: Any
) -> None:
    """`tm` and `omc` in the options; the field `tm` after a failure. TRAP tm-false: a bulk
    stores that for a job that omits its context."""
    jobs: list[dict[str, Any]] = [
        {"name": "plain"},
        {"name": "omits", "opts": {"telemetry": {"omitContext": True}}},
        {"name": "own", "opts": {"telemetry": {"metadata": '{"mine":"1"}'}}},
    ]
    there = await node(
        NODE_TELEMETRY
        + """
        const queue = new Queue('n', opts);
        for (const { name, opts } of given.jobs) await queue.add(name, {}, opts);
        await queue.addBulk(given.jobs.map((job) => ({ ...job, data: {} })));
        let failed = 0;
        const worker = new Worker('n', async () => { throw new Error('no') }, opts);
        await new Promise((done) => worker.on('failed', () => ++failed === 6 && done()));
        await close(worker);
        const client = await queue.client; answer = [];
        for (let id = 1; id <= 6; id++) {
          answer.push([await client.hget(queue.toKey(String(id)), 'opts'),
            await client.hget(queue.toKey(String(id)), 'tm')]);
        }
        await close(queue);
        """,
        jobs=jobs,
        **where(make_single),
    )
    queue = make_single.queue(telemetry=telemetry)
    for job in jobs:
        await queue.add(job["name"], {}, job.get("opts"))
    await queue.add_bulk([{**job, "data": {}} for job in jobs])

    async def fail(job: Any, token: str) -> None:
        raise ValueError("no")

    make_single.worker(fail, telemetry=telemetry)
    await until(lambda: all_failed(queue, 6))
    here = [await queue.client.command("HMGET", queue.keys.job(str(job_id)), "opts", "tm") for job_id in range(1, 7)]
    assert [form(pair) for pair in here] == [form(pair) for pair in there]
    assert '"tm":"{\\"traceparent\\":\\"00-' in here[0][0]


async def all_failed(queue: Any, count: int) -> bool:
    return bool(await queue.get_failed_count() == count)


def form(stored: list[str | None]) -> Any:
    """Options with every trace context named alike."""
    options = json.loads(stored[0] or "{}")
    if str(options.get("tm", "")).startswith('{"traceparent":"00-'):
        options["tm"] = "a context"
    return options, (stored[1] or "").startswith('{"traceparent":"00-')


async def test_the_spans_of_a_session_are_nodes_spans(
    make_single: Any, until: Any, node: Any, telemetry: Any, exporter: Any
) -> None:
    """Names, kinds, attributes and events, and who is whose parent."""
    theirs = await node(
        NODE_TELEMETRY
        + """
        const queue = new Queue('s', opts);
        await queue.add('well', { x: 1 });
        await queue.addBulk([{ name: 'once', data: {} },
          { name: 'later', data: {}, opts: { attempts: 2, backoff: { type: 'fixed', delay: 1 } } }]);
        await queue.add('again', {}, { attempts: 2 });
        await queue.updateJobProgress('1', { half: 1 });
        await queue.pause(); await queue.resume();
        const worker = new Worker('s', async (job) => {
          if (job.name === 'well') return { y: 2 };
          if (job.name === 'once' || job.attemptsMade === 0) throw new Error('no');
          return 's';
        }, { ...opts, name: 'w', autorun: false, skipLockRenewal: true });
        let done = 0;
        const all = new Promise((resolve) => { worker.on('completed', () => ++done === 3 && resolve()) });
        worker.run();
        await all;
        await worker.pause(false); await worker.resume();
        await worker.close();
        const hand = new Worker('s', null, { ...opts, name: 'w' });
        await queue.add('hand', {});
        const job = await hand.getNextJob('t', { block: false });
        await job.moveToCompleted(1, 't', false);
        await hand.close();
        await queue.rateLimit(10); await queue.trimEvents(100);
        await queue.retryJobs({ state: 'failed' }); await queue.promoteJobs();
        await queue.remove('2'); await queue.clean(0, 10, 'completed'); await queue.drain(true);
        await queue.removeDeduplicationKey('d');
        await queue.obliterate({ force: true });
        await queue.close();
        answer = spans;
        """,
        **where(make_single),
    )
    await session(make_single, until, telemetry)
    assert told(spans_of(exporter)) == told(theirs)


async def session(make: Any, until: Any, telemetry: Any) -> None:
    queue = make.queue("s", telemetry=telemetry)
    await queue.add("well", {"x": 1})
    later = {"attempts": 2, "backoff": {"type": "fixed", "delay": 1}}
    await queue.add_bulk([{"name": "once", "data": {}}, {"name": "later", "data": {}, "opts": later}])
    await queue.add("again", {}, attempts=2)
    await queue.update_job_progress("1", {"half": 1})
    await queue.pause()
    await queue.resume()
    done: list[Any] = []

    async def work(job: Any, token: str) -> Any:
        if job.name == "well":
            return {"y": 2}
        if job.name == "once" or job.attempts_made == 0:
            raise ValueError("no")
        return "s"

    worker = make.worker(work, "s", name="w", autorun=False, skip_lock_renewal=True, telemetry=telemetry)
    worker.on("completed", lambda *_: done.append(1))
    worker.run()
    await until(lambda: len(done) == 3)
    await worker.pause()
    worker.resume()
    await worker.close()
    hand = make.worker(None, "s", name="w", telemetry=telemetry)
    await queue.add("hand", {})
    job = await hand.get_next_job("t", block=False)
    await job.move_to_completed(1, "t", False)
    await hand.close()
    await queue.rate_limit(10)
    await queue.trim_events(100)
    await queue.retry_jobs(state="failed")
    await queue.promote_jobs()
    await queue.remove("2")
    await queue.clean(0, 10, "completed")
    await queue.drain(delayed=True)
    await queue.remove_deduplication_key("d")
    await queue.obliterate(force=True)
    await queue.close()


def told(spans: list[dict[str, Any]]) -> list[Any]:
    """What is the same in every session. A sweep is its worker's own time; so are a worker's id and the hours."""
    names = {span["id"]: span["name"] for span in spans}
    kept = []
    for span in spans:
        if span["name"].startswith("moveStalledJobsToWait"):
            continue
        attributes = {
            key: "some" if key == "bullmq.worker.id" or key.endswith("timestamp") else _hourless(value)
            for key, value in span["attributes"].items()
        }
        parent = names.get(span["parent"]) if span["kind"] == 4 or span["name"].split()[0] in INNER else None
        kept.append([span["name"], span["kind"], attributes, span["events"], parent])
    return sorted(kept, key=str)


def _hourless(value: Any) -> Any:
    """A scheduler's job is named by its slot, in ms; what is cleaned comes in the order of its ends."""
    if isinstance(value, list):
        return sorted(value)
    return re.sub(r"\d{13}", "slot", value) if isinstance(value, str) else value


#: Operations in the span of another one.
INNER = {"complete", "fail", "retry", "delay", "addNode"}


async def test_the_spans_of_flows_and_schedulers_are_nodes_spans(
    make_single: Any, until: Any, node: Any, telemetry: Any, exporter: Any
) -> None:
    theirs = await node(
        NODE_TELEMETRY
        + """
        const { FlowProducer } = require('bullmq');
        const flows = new FlowProducer(opts), queue = new Queue('f', opts);
        const child = { name: 'child', queueName: 'f', opts: { jobId: 'c' } };
        await flows.add({ name: 'parent', queueName: 'f', opts: { jobId: 'p' }, children: [child] });
        await flows.addBulk([{ name: 'one', queueName: 'f', opts: { jobId: 'o' } }]);
        await queue.upsertJobScheduler('s', { every: 3600000 }, { name: 'tick' });
        await queue.close(); await flows.close();
        answer = spans;
        """,
        **where(make_single),
    )
    await make_single.queue("f").remove_job_scheduler("s")
    await make_single.queue("f").obliterate(force=True)
    async with FlowProducer(connection=make_single.connection, prefix=make_single.prefix, telemetry=telemetry) as flows:
        child = {"name": "child", "queueName": "f", "opts": {"jobId": "c"}}
        await flows.add({"name": "parent", "queueName": "f", "opts": {"jobId": "p"}, "children": [child]})
        await flows.add_bulk([{"name": "one", "queueName": "f", "opts": {"jobId": "o"}}])
    async with make_single.queue("f", telemetry=telemetry) as queue:
        await queue.upsert_job_scheduler("s", {"every": 3600000}, {"name": "tick"})
        stored = await queue.client.command("HGET", queue.keys.job("c"), "opts")
        assert '"tm":"{' in stored
    assert told(spans_of(exporter)) == told(theirs)


async def test_metadata_that_is_no_trace_does_no_harm(make_single: Any, until: Any, telemetry: Any) -> None:
    queue = make_single.queue()
    make_single.worker(lambda job, token: None, telemetry=telemetry)
    for metadata in ("mine", "[1]", '{"traceparent":"none"}'):
        job = await queue.add("n", {}, telemetry={"metadata": metadata})
        await until(job.is_completed)
