"""What a driver does with a queue."""

from __future__ import annotations

from compat.authoring.guide import Guide, Wrong, open_queue, shown
from compat.drivers.errors import CallRaised, DriverError, Undeclared


async def add(guide: Guide) -> str | None:
    """Open a queue under the scenario's prefix, on the Redis it names, and add a job."""
    if lacking := guide.lacks("queue.open", "queue.add"):
        return lacking
    await guide.begin()
    await open_queue(guide)
    job = await guide.call("queue.add", on="q", name="email", data={"to": "a@b"}, opts={})
    if not isinstance(job, dict) or not isinstance(job.get("id"), str):
        raise Wrong(
            f"the answer {shown(job)}", 'an object with the job\'s `id` as a text: {"id": "1", …}',
            "answer `queue.add` with the job, by Node's property names (`bullmq-compat schema protocol`)",
        )  # fmt: skip
    if await guide.field(job["id"], "name") is None:
        keys = sorted(k.decode("utf-8", "replace") for k in await guide.redis("KEYS", f"{guide.prefix}:*"))
        raise Wrong(
            f"no job {guide.key(job['id'])}; keys under the prefix: {', '.join(keys) or 'none'}",
            f"a hash {guide.key(job['id'])}",
            "use the prefix and the Redis of `scenario.begin`, and the queue's `name` of `queue.open`",
        )
    await guide.logged_in()
    return None


async def values(guide: Guide) -> str | None:
    """Untag values that JSON cannot hold, and tag them in answers."""
    if lacking := guide.lacks("queue.open", "queue.add", "queue.getJob"):
        return lacking
    odd = {
        "zero": {"$number": "-0"},
        "half": {"$utf16": "d83d 0061"},
        "big": {"$int": "9007199254740993"},
        "plain": "é",
    }
    job = await guide.call("queue.add", on="q", name="odd", data=odd, opts={})
    stored = await guide.field(str(job.get("id")), "data") or ""
    if "$number" in stored or "$utf16" in stored:
        raise Wrong(
            f"stored as {stored}", "the values themselves",
            'untag `{"$number": "-0"}`, `{"$utf16": "d83d 0061"}`, `{"$int": "…"}`, `{"$bytes": "…"}`, '
            '`{"$undefined": true}` before they reach the port',
        )  # fmt: skip
    seen = await guide.call("queue.getJob", on="q", jobId=job["id"])
    half = (seen or {}).get("data", {}).get("half")
    if half not in ({"$utf16": "d83d 0061"}, "\ufffda"):
        raise Wrong(
            f"`half` answered as {shown(half)}", 'the tag `{"$utf16": "d83d 0061"}`', "tag text with lone surrogates"
        )
    return None


async def refusal(guide: Guide) -> str | None:
    """Answer what the port refuses with error -32000 and the symbol of BullMQ's error."""
    if lacking := guide.lacks("queue.open", "queue.add"):
        return lacking
    try:
        job = await guide.call("queue.add", on="q", name="n", data={}, opts={"priority": 2097153})
    except CallRaised as raised:
        if raised.problem.symbol != "PriorityOutOfRange":
            raise Wrong(
                f"symbol {raised.problem.symbol!r} ({raised.problem.text})", '`data: {"bullmq": "PriorityOutOfRange"}`',
                "map each error of the port to its symbol: `bullmq-compat schema protocol` lists them",
            ) from None  # fmt: skip
        return None
    raise Wrong(
        f"a job: {shown(job)}", "error -32000 with the symbol PriorityOutOfRange",
        "pass `opts` on as they are; if it is the port that takes a priority above 2097152, this is its difference",
    )  # fmt: skip


async def missing_object(guide: Guide) -> str | None:
    """Refuse a call on an object that is not open, and live on."""
    if lacking := guide.lacks("queue.open", "queue.add"):
        return lacking
    try:
        await guide.call("queue.add", on="nobody", name="n", data={}, opts={})
    except (CallRaised, Undeclared, DriverError):
        if guide.driver.broken is not None:
            raise
        return None
    raise Wrong("a result", "an error", "look `on` up among the objects that were opened as that name")


async def close_queue(guide: Guide) -> str | None:
    """Close what was opened, end the scenario, and leave no connection behind."""
    if guide.lacks("queue.open") is None:
        if guide.lacks("queue.close") is None:
            await guide.call("queue.close", on="q")
        refused = await guide.end()
        if refused:
            raise Wrong(
                f"keys beside the prefix: {', '.join(refused)}", f"keys under {guide.prefix}: alone",
                "open every object with the prefix of `scenario.begin`",
            )  # fmt: skip
        return None
    return "not in `capabilities`: queue.open"
