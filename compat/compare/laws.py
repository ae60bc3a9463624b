"""Laws: what must hold in every capture of every queue, whoever worked on it. They alone judge `shadow`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from compat.model.capture import Capture, Key
from compat.model.history import History
from compat.model.scenario import Scenario
from compat.wire.layout import STATES

Law = Callable[[Scenario, History, Capture, str], Iterator[str]]


def broken_laws(scenario: Scenario, history: History) -> tuple[tuple[str, str, str], ...]:
    """(law, capture, words) of every law broken, excepted ones left out."""
    queues = sorted({spec.queue_name for spec in scenario.objects.values()})
    broken = [
        (name, shot.label, words)
        for shot in history.captures
        for queue in queues
        for name, law in LAWS.items()
        if name not in scenario.laws.excepted
        for words in law(scenario, history, shot, queue)
    ]
    if "outside" not in scenario.laws.excepted:
        broken += [("outside", "end", f"a driver tried to touch {key}, outside its prefix") for key in history.denied]
    return tuple(broken)


def _members(shot: Capture, queue: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for state in STATES:
        key = shot.keys.get(f"{shot.prefix}:{queue}:{state}")
        if key is not None:
            found.update(job for job in (*key.items, *(member for member, _ in key.scores)) if not job.startswith("0:"))
    return found


def one_state(scenario: Scenario, history: History, shot: Capture, queue: str) -> Iterator[str]:
    """A job is in one state at a time: in two it runs twice."""
    for job, times in _members(shot, queue).items():
        if times > 1:
            yield f"{queue}: job {job} stands in {times} places of the queue"


def no_stranded_hash(scenario: Scenario, history: History, shot: Capture, queue: str) -> Iterator[str]:
    """A job that exists is in a state: in none it is never run and never removed."""
    members = _members(shot, queue)
    for name, key in shot.keys.items():
        job = name.removeprefix(f"{shot.prefix}:{queue}:")
        if name != job and key.type == "hash" and "timestamp" in key.fields and job not in members:
            yield f"{queue}: job {job} exists but is in no state"


def no_dangling_member(scenario: Scenario, history: History, shot: Capture, queue: str) -> Iterator[str]:
    """What is in a state exists: a worker that takes an id without a job fails on it."""
    for job in _members(shot, queue):
        if f"{shot.prefix}:{queue}:{job}" not in shot.keys:
            yield f"{queue}: {job} is in a state but its job does not exist"


def no_orphan_lock(scenario: Scenario, history: History, shot: Capture, queue: str) -> Iterator[str]:
    """A lock belongs to an active job: on another it keeps the job from being removed or retried."""
    active = shot.keys.get(f"{shot.prefix}:{queue}:active", Key("list")).items
    base = f"{shot.prefix}:{queue}:"
    for name in shot.keys:
        if name.startswith(base) and name.endswith(":lock"):
            job = name.removeprefix(base).removesuffix(":lock")
            if job not in active:
                yield f"{queue}: job {job} is locked but not active"


def finished_once(scenario: Scenario, history: History, shot: Capture, queue: str) -> Iterator[str]:
    """A run ends once: between two ends of one job there is an `active` event."""
    ended: set[str] = set()
    for entry in shot.keys.get(f"{shot.prefix}:{queue}:events", Key("stream")).entries:
        fields = dict(entry.fields)
        job, event = fields.get("jobId", ""), fields.get("event", "")
        if event in ("completed", "failed"):
            if job in ended:
                yield f"{queue}: job {job} ended twice without being active between"
            ended.add(job)
        elif event in ("active", "added"):
            ended.discard(job)


def in_time_order(scenario: Scenario, history: History, shot: Capture, queue: str) -> Iterator[str]:
    """Processed before finished, by the job's own clocks."""
    for name, key in shot.keys.items():
        if not name.startswith(f"{shot.prefix}:{queue}:") or key.type != "hash":
            continue
        begun, ended = key.fields.get("processedOn"), key.fields.get("finishedOn")
        if begun and ended and begun.isdigit() and ended.isdigit() and int(begun) > int(ended) + 1:
            early = int(begun) - int(ended)
            yield f"{queue}: {name.rpartition(':')[2]} was finished {early} ms before it was processed"


LAWS: Final[dict[str, Law]] = {
    "one-state": one_state,
    "no-stranded-hash": no_stranded_hash,
    "no-dangling-member": no_dangling_member,
    "no-orphan-lock": no_orphan_lock,
    "finished-once": finished_once,
    "time-order": in_time_order,
}
