"""The scripts that add a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from bullmq_ref.client import Client
from bullmq_ref.errors import refused
from bullmq_ref.keys import Keys
from bullmq_ref.pack import pack
from bullmq_ref.wire import Wire

#: A script by its name, its KEYS and its ARGV.
Call = tuple[str, Sequence[str], tuple[bytes, str, bytes]]


class NewJob(NamedTuple):
    """What the add scripts store. `data` is JSON text; `options` are packed, under their stored names, among them the
    `delay` and the `priority`; `parent` is `{id, queueKey, fpof?, …}`; `timestamp` in ms. One that `has_children` waits
    for them."""

    name: str
    data: str
    options: bytes
    timestamp: float
    delay: Any = None
    priority: Any = None
    id: str = ""
    parent_key: str | None = None
    parent: Mapping[str, Any] | None = None
    repeat_job_key: str | None = None
    deduplication_id: str | None = None
    has_children: bool = False


async def add(wire: Wire, job: NewJob) -> str:
    """Add by the script that fits: a delay above 0 goes to delayed, a priority to prioritized, the rest to wait.

    Returns the job's id (an older job's when deduplicated). Raises ParentJobNotExist, ParentJobCannotBeReplaced.
    """
    reply = await wire.run(*call(wire.keys, job))
    if isinstance(reply, int):
        raise refused(reply, command="addJob", parent=job.parent_key)
    return str(reply)


async def add_each(wire: Wire, jobs: Sequence[NewJob]) -> list[str | int | Exception]:
    """Add jobs one after the other, without waiting for one before the next is sent. A negative code stands among the
    ids, as Node's addBulk leaves it in `job.id`, and an error for a job that could not be added."""
    return await wire.client.each(call(wire.keys, job) for job in jobs)  # the first is sent before the last is packed


async def add_together(client: Client, jobs: Iterable[tuple[Keys, NewJob]]) -> list[str | int | Exception]:
    """Add jobs of several queues in one MULTI … EXEC, in order. What a script refuses or fails at stands in its place
    among the ids, as in Node: the others are carried out."""
    replies: list[str | int | Exception] = await client.scripts(*(call(keys, job) for keys, job in jobs))
    return replies


def call(keys: Keys, job: NewJob) -> Call:
    """The script that fits: a job with children waits for them; a delay above 0 goes to delayed, a priority to
    prioritized, the rest to wait."""
    if job.has_children:
        return add_parent_job(keys, job)
    delay = job.delay
    if isinstance(delay, int | float) and not isinstance(delay, bool) and delay > 0:
        return add_delayed_job(keys, job)
    return add_prioritized_job(keys, job) if job.priority else add_standard_job(keys, job)


def add_standard_job(k: Keys, job: NewJob) -> Call:
    """addStandardJob: to wait, or paused."""
    return "addStandardJob", _standard(k), _arguments(k, job)


@lru_cache
def _standard(k: Keys) -> tuple[str, ...]:
    return k.wait, k.paused, k.meta, k.id, k.completed, k.delayed, k.active, k.events, k.marker


def add_delayed_job(k: Keys, job: NewJob) -> Call:
    """addDelayedJob: to delayed."""
    return "addDelayedJob", [k.marker, k.meta, k.id, k.delayed, k.completed, k.events], _arguments(k, job)


def add_prioritized_job(k: Keys, job: NewJob) -> Call:
    """addPrioritizedJob: to prioritized."""
    keys = [k.marker, k.meta, k.id, k.prioritized, k.delayed, k.completed, k.active, k.events, k.pc]
    return "addPrioritizedJob", keys, _arguments(k, job)


def add_parent_job(k: Keys, job: NewJob) -> Call:
    """addParentJob: to waiting-children."""
    keys = [k.meta, k.id, k.delayed, k.waiting_children, k.completed, k.events]
    return "addParentJob", keys, _arguments(k, job)


def _arguments(keys: Keys, job: NewJob) -> tuple[bytes, str, bytes]:
    about = [
        keys.base,
        job.id,
        job.name,
        job.timestamp,
        job.parent_key,
        f"{job.parent_key}:dependencies" if job.parent_key else None,
        job.parent,
        job.repeat_job_key,
        keys.deduplication(job.deduplication_id) if job.deduplication_id else None,
    ]
    return pack(about), job.data, job.options
