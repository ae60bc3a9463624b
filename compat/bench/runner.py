"""One measurement after another: a fresh server, jobs if there must be some, the peer's program, and the counters."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, replace
from pathlib import Path

from compat.bench.neighbours import Neighbours
from compat.bench.peers import Peer, peer
from compat.bench.plan import Run
from compat.bench.programs.contract import Answer, Question, answered
from compat.bench.records import Record
from compat.drivers.places import ROOT
from compat.servers import Server, embedded

PATIENCE = 300.0  # s for one program
_PREFIX = "bull"


class Failed(Exception):
    """A peer's program did not answer; the text says which, and what it said."""


async def measure(runs: Iterable[Run], *, binary: Path | None = None, again: bool = True) -> AsyncIterator[Record]:
    """Make the measurements. One that others disturbed is made `again`, once, and the quieter one kept.

    Raises `Failed`, and ServerError when there is no server.
    """
    for run in runs:
        record = await _once(run, binary)
        if again and record.noisy:
            second = await _once(run, binary)
            quieter = second if (second.foreign or 0) < (record.foreign or 0) else record
            record = replace(quieter, attempts=2)
        yield record


async def _once(run: Run, binary: Path | None) -> Record:
    async with embedded("single", binary=binary) as server:
        node = server.nodes[0]
        workload = run.workload
        question = Question(
            jobs=run.jobs, host=node.host, port=node.port, prefix=_PREFIX, queues=[*workload.queues], **workload.asks
        )
        if workload.seeds:
            seeds = replace(question, kind="seed", jobs=workload.seeded or run.jobs, active=workload.held)
            await _ask(run.peer if run.peer.seeds else peer("floor"), seeds)
        client = server.client(node)
        await client.config_resetstat()
        before = await _cpu(server)
        neighbours = Neighbours()
        answer = await _ask(run.peer, question)
        server_cpu = await _cpu(server) - before
        foreign = neighbours.cores(answer.cpu_whole + server_cpu)
        scripts = await _scripts(server)
        if workload.asks["kind"] == "work" and not run.peer.seeds:
            await _check(server, run, answer)
    return Record(workload.id, run.peer.name, run.warm, run.round, answer, scripts, server_cpu, _rounded(foreign))


async def _ask(who: Peer, question: Question) -> Answer:
    """Run the peer's program for one question."""
    process = await asyncio.create_subprocess_exec(
        *who.command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, said = await process.communicate(json.dumps(asdict(question)).encode() + b"\n")
    except TimeoutError:
        raise Failed(f"{who.name} did not answer within {PATIENCE:g} s when asked to {question.kind}") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    lines = out.decode(errors="replace").strip().splitlines()
    try:
        return answered(lines[-1] if lines else "")
    except ValueError:
        tail = "\n".join(f"  {line[:200]}" for line in said.decode(errors="replace").strip().splitlines()[-8:])
        raise Failed(
            f"{who.name} ended with {process.returncode} and without an answer when asked to {question.kind} "
            f"{question.jobs} jobs; it said:\n{tail}"
        ) from None


async def _cpu(server: Server) -> float:
    """s that the server has used."""
    used = await server.client(server.nodes[0]).info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


async def _scripts(server: Server) -> int:
    """Calls of scripts since the counters were reset."""
    stats = await server.client(server.nodes[0]).info("commandstats")
    return sum(int(stats[name]["calls"]) for name in ("cmdstat_eval", "cmdstat_evalsha") if name in stats)


async def _check(server: Server, run: Run, answer: Answer) -> None:
    """What was not done was not measured. (A worker may have finished a few more than it was asked for.)"""
    client = server.client(server.nodes[0])
    done = sum([int(await client.zcard(f"{_PREFIX}:{queue}:completed")) for queue in run.workload.queues])
    if done < answer.ops:
        raise Failed(f"{run.peer.name} said it had completed {answer.ops} jobs of {run.workload.id}; Redis has {done}")


def _rounded(foreign: float | None) -> float | None:
    return None if foreign is None else round(foreign, 3)
