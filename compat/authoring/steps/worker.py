"""What a driver does with a worker: it asks the harness what each attempt shall do."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import msgspec

from compat.authoring.guide import Guide, Unreached, Wrong, open_queue, shown
from compat.drivers.errors import DriverError
from compat.model.program import Action, End, Throw
from compat.protocol.messages import ProcessorAnswer


async def work(guide: Guide) -> str | None:
    """Run a worker: ask `processor.call` for each attempt, return what it says, tell `completed`."""
    if lacking := guide.lacks("queue.open", "queue.add", "worker.open"):
        return lacking
    await guide.begin()
    await open_queue(guide)
    guide.answers = [ProcessorAnswer(End(returned={"sent": True}))]
    await guide.call("worker.open", **{"as": "w", "name": "mail", "opts": {}})
    job = await guide.call("queue.add", on="q", name="email", data={"to": "a@b"}, opts={})
    remedy = "when the port's processor is called, ask the harness `processor.call {worker, job, token}` and wait"
    call = await guide.soon(lambda: _first(guide.calls), "a `processor.call` from the driver", remedy)
    if call.worker != "w" or str(call.job.get("id")) != job["id"] or call.job.get("data") != {"to": "a@b"}:
        raise Wrong(
            f"`processor.call` with {shown(msgspec.to_builtins(call))}",
            f'`worker` "w" and the job with id {job["id"]!r} and data {{"to": "a@b"}}',
            "send the name that `worker.open` gave (`as`) and the job by Node's property names",
        )
    await guide.soon(
        lambda: _equal(guide.field(job["id"], "returnvalue"), '{"sent":true}'),
        '`returnvalue` {"sent":true} in the job\'s hash',
        "end the attempt with the `return` of `processor.call`'s answer",
    )  # fmt: skip
    guide.works = True
    if guide.lacks("worker.event") is None:
        await guide.soon(
            lambda: _first([e for e in guide.events if e.object == "w" and e.event == "completed"]),
            "a notification `worker.event {on: w, event: completed, job}`",
            "listen to the port's own worker events and pass them on",
        )
    elif guide.events:
        raise Wrong(
            f"a notification that the worker told of `{guide.events[0].event}`",
            "none, or `event` among `worker` in `capabilities`",
            "say so there, and what your worker tells its listeners is compared with what Node's tells",
        )  # fmt: skip
    return None


async def fail(guide: Guide) -> str | None:
    """Fail an attempt when told to throw."""
    if lacking := guide.lacks("queue.open", "queue.add", "worker.open"):
        return lacking
    if not guide.works:
        raise Unreached
    guide.answers = [ProcessorAnswer(End(throw="boom"))]
    job = await guide.call("queue.add", on="q", name="email", data={}, opts={})
    await guide.soon(
        lambda: _equal(guide.field(job["id"], "failedReason"), None), "a `failedReason` in the job's hash",
        'when the answer says `"throw": "boom"` (or `{"type": …, "message": …}`), raise an error with that message',
    )  # fmt: skip
    return None


async def gates(guide: Guide) -> str | None:
    """Hold an attempt at a gate, and answer other calls meanwhile."""
    if "gate" not in guide.driver.welcome.capabilities.processor:
        return "not in `capabilities`: processor.gate"
    if lacking := guide.lacks("queue.open", "queue.add", "worker.open"):
        return lacking
    if not guide.works:
        raise Unreached
    guide.answers = [ProcessorAnswer(End(returned=1), (Action(gate="door"),))]
    job = await guide.call("queue.add", on="q", name="email", data={}, opts={})
    gate = await guide.soon(
        lambda: _first(guide.gates), "a `processor.gate {worker, job, gate}` from the driver",
        'an action `{"gate": NAME}` in `do` means: ask `processor.gate` and wait for its answer',
    )  # fmt: skip
    if (gate.worker, gate.job, gate.gate) != ("w", job["id"], "door"):
        raise Wrong(
            shown(msgspec.to_builtins(gate)), f"worker w, job {job['id']}, gate door", "send what you were told"
        )
    if not guide.driver.welcome.serial:
        try:
            await guide.driver.call("ping", deadline=3_000)
        except DriverError as error:
            raise Wrong(
                "`ping` was not answered while an attempt was held", "an answer at once",
                'handle calls concurrently, or say `"serial": true` in `initialize`', final=True,
            ) from error  # fmt: skip
    guide.open_gate.set()
    await guide.soon(
        lambda: _equal(guide.field(job["id"], "returnvalue"), "1"), "the job completed with 1",
        "go on with the next action, and then the end, when `processor.gate` is answered",
    )  # fmt: skip
    return None


async def actions(guide: Guide) -> str | None:
    """Do what an attempt is told: progress, log, new data."""
    offered = set(guide.driver.welcome.capabilities.processor)
    do = {"progress": Action(progress=50), "log": Action(log="half way"), "updateData": Action(update_data={"n": 2})}
    mine = [name for name in do if name in offered]
    if not mine:
        return "not in `capabilities`: processor.progress, log, updateData"
    if lacking := guide.lacks("queue.open", "queue.add", "worker.open"):
        return lacking
    if not guide.works:
        raise Unreached
    guide.answers = [ProcessorAnswer(End(returned=2), tuple(do[name] for name in mine))]
    job = await guide.call("queue.add", on="q", name="email", data={"n": 1}, opts={})
    await guide.soon(
        lambda: _equal(guide.field(job["id"], "returnvalue"), "2"), "the job completed with 2", "end as the answer says"
    )
    rows = await guide.redis("LRANGE", guide.key(f"{job['id']}:logs"), "0", "-1")
    left = {
        "progress": (await guide.field(job["id"], "progress"), "50"),
        "log": ([row.decode() for row in rows], ["half way"]),
        "updateData": (await guide.field(job["id"], "data"), '{"n":2}'),
    }
    for name in mine:
        seen, wanted = left[name]
        if seen != wanted:
            raise Wrong(f"{name} left {shown(seen)}", shown(wanted), "call the port's own method on the job")
    return None


async def ends(guide: Guide) -> str | None:
    """End an attempt for good with an unrecoverable error."""
    if "unrecoverable" not in guide.driver.welcome.capabilities.processor:
        return "not in `capabilities`: processor.unrecoverable"
    if lacking := guide.lacks("queue.open", "queue.add", "worker.open"):
        return lacking
    if not guide.works:
        raise Unreached
    guide.answers = [ProcessorAnswer(End(throw=Throw(type="unrecoverable", message="no use")))]
    job = await guide.call("queue.add", on="q", name="email", data={}, opts={"attempts": 3})
    await guide.soon(
        lambda: _present(guide.redis("ZSCORE", guide.key("failed"), job["id"])),
        "the job in `failed`, though it had attempts left", "raise the port's own UnrecoverableError",
    )  # fmt: skip
    return None


async def close_worker(guide: Guide) -> str | None:
    """Close a worker and end the scenario."""
    if lacking := guide.lacks("queue.open", "queue.add", "worker.open"):
        return lacking
    if guide.lacks("worker.close") is None:
        await guide.call("worker.close", on="w")
    await guide.end()
    return None


async def _first(found: list[Any]) -> Any:
    return found[0] if found else None


async def _equal(value: Awaitable[str | None], wanted: str | None) -> str | None:
    """The value once it is what is wanted (None: anything)."""
    found = await value
    return found if found is not None and wanted in (None, found) else None


async def _present(value: Awaitable[Any]) -> Any:
    return await value
