"""Laws: what must be true of every capture of every side, whatever the scenario."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from compat.compare import shared
from compat.compare.lives import finishes, steps
from compat.model.history import History
from compat.model.scenario import Scenario
from compat.normalise.names import Names
from compat.normalise.scene import Scene
from compat.normalise.text import number
from compat.wire.keys import Address, slot
from compat.wire.states import STATES, members


class BrokenLaw(Struct, frozen=True):
    law: str
    capture: str  # its label; "run" for what is in none
    words: str
    why: str


Law = Callable[[Scene], Iterator[str]]

_SWEEPS = ("queue.drain", "queue.clean", "queue.obliterate", "queue.remove", "job.remove")


def one_state(scene: Scene) -> Iterator[str]:
    """A job is in one state, once: else it is run twice, or cannot be finished."""
    for queue in scene.live_queues:
        for job, states in _states(scene, queue).items():
            if len(states) > 1:
                yield f"{_job(scene, queue, job)} stands in {' and '.join(states)}"


def no_stranded_hash(scene: Scene) -> Iterator[str]:
    """A job that exists is in a state: else it is never run and never removed."""
    for queue in scene.live_queues:
        states = _states(scene, queue)
        for job in sorted(address.id for address, _ in scene.of("job") if address.queue == queue):
            if job not in states:
                yield f"{_job(scene, queue, job)} has a hash and is in no state"


def no_dangling_member(scene: Scene) -> Iterator[str]:
    """What is in a state exists: else a worker takes an id without a job, and fails on it."""
    for queue in scene.live_queues:
        for job, states in sorted(_states(scene, queue).items()):
            if not scene.job(queue, job):
                yield f"{_job(scene, queue, job)} is in {states[0]} and has no hash"


def nothing_lost(scene: Scene) -> Iterator[str]:
    """A job that was added is in a state, or has ended, or was removed: what goes in must come out."""
    if _swept(scene):
        return
    for queue in scene.live_queues:
        states = _states(scene, queue)
        last: dict[str, str] = {}
        for entry in scene.entries(queue):
            row = dict(entry.fields)
            event = row.get("event", "")
            if event in ("added", "active", "waiting", "delayed", "completed", "failed", "removed"):
                last[row.get("jobId", "")] = event
        for job, event in last.items():
            if job not in states and event not in ("completed", "failed", "removed"):
                yield f"{_job(scene, queue, job)} was added and is nowhere; its last event is `{event}`"


def finished_once(scene: Scene) -> Iterator[str]:
    """A job ends once a run: else whoever waits for it is told twice, and counts are wrong."""
    for queue in scene.live_queues:
        for job, event in finishes(scene.entries(queue)):
            yield f"{_job(scene, queue, job)} ended a second time (`{event}`) without having been started again"


def legal_life(scene: Scene) -> Iterator[str]:
    """A job's events tell a life that BullMQ allows: else readers of the stream show states that never were."""
    for queue in scene.live_queues:
        for job, _, complaint in steps(scene.entries(queue), _swept(scene)):
            if complaint:
                yield f"{_job(scene, queue, job)}: {complaint}"


def no_orphan_lock(scene: Scene) -> Iterator[str]:
    """A lock belongs to a job in `active`: else a job that nobody works on cannot be removed."""
    for address, _ in scene.of("job", "lock"):
        active = scene.key(address.queue, "active")
        if active is None or address.id not in active.items:
            yield f"{_job(scene, address.queue, address.id)} is locked and not active"


def time_order(scene: Scene) -> Iterator[str]:
    """added ≤ processed ≤ finished, for times that come from a clock: else durations are negative.

    By one millisecond they may be: some cut a time to whole milliseconds, others round it.
    """
    for address, key in scene.of("job"):
        told = [(name, number(key.fields.get(name, ""))) for name in ("timestamp", "processedOn", "finishedOn")]
        times = [(name, ms) for name, ms in told if isinstance(ms, int) and scene.clock.seen(ms, scene.capture.at_ms)]
        for (before, earlier), (after, later) in itertools.pairwise(times):
            if earlier > later + 1:
                yield f"{_job(scene, address.queue, address.id)}: {after} is {earlier - later} ms before {before}"


def one_slot(scene: Scene) -> Iterator[str]:
    """In a Cluster all keys of a queue share a slot: else its scripts are refused."""
    if scene.history.cell.topology != "cluster":
        return
    slots: dict[str, set[int]] = {}
    for address in scene.keys:
        slots.setdefault(address.queue, set()).add(slot(scene.key_name(address)))
    for queue, found in sorted(slots.items()):
        if len(found) > 1:
            yield f"the keys of {queue} lie in {len(found)} slots"


def nothing_outside(scene: Scene) -> Iterator[str]:
    """Nothing is written outside the prefix, nor where BullMQ has no key: else neighbours are overwritten."""
    for name, kind in sorted(scene.foreign.items()):
        yield f"`{scene.names(name)}` (a {kind}) is no key of BullMQ's in a queue of this scenario"


def _denied(history: History) -> Iterator[str]:
    for key in history.denied:
        yield f"a driver tried to touch `{key}`, outside its prefix"


#: Law → how it is checked on a capture. Named in `laws.except` of a scenario in which Node breaks it.
LAWS: Final[dict[str, Law]] = {
    "one-state": one_state,
    "no-stranded-hash": no_stranded_hash,
    "no-dangling-member": no_dangling_member,
    "nothing-lost": nothing_lost,
    "finished-once": finished_once,
    "legal-life": legal_life,
    "no-orphan-lock": no_orphan_lock,
    "time-order": time_order,
    "one-slot": one_slot,
    "outside": nothing_outside,
    "start-order": shared.start_order,
    "concurrency-kept": shared.concurrency_kept,
    "rate-kept": shared.rate_kept,
    "worked-once": shared.worked_once,
    "rescued": shared.rescued,
    "interleaved": shared.interleaved,
    "lock-kept": shared.lock_kept,
    "slots-kept": shared.slots_kept,
}


def broken_laws(scenario: Scenario, history: History) -> tuple[BrokenLaw, ...]:
    """Each law that a history breaks and the scenario does not except, at the first capture that shows it."""
    names = Names(scenario, history)
    found: dict[tuple[str, str], BrokenLaw] = {}
    for capture in history.captures:
        scene = Scene(scenario, history, capture, names)
        for law, check in LAWS.items():
            if law in scenario.laws.excepted:
                continue
            for words in check(scene):
                found.setdefault((law, words), BrokenLaw(law, capture.label, words, _why(check)))
    if "outside" not in scenario.laws.excepted:
        for words in _denied(history):
            found["outside", words] = BrokenLaw("outside", "run", words, _why(nothing_outside))
    return tuple(found.values())


def _why(check: Law) -> str:
    return " ".join((check.__doc__ or "").partition("\n\n")[0].split())


def _states(scene: Scene, queue: str) -> dict[str, list[str]]:
    """Job → the states it stands in, once for each time it stands there."""
    found: dict[str, list[str]] = {}
    for state in STATES:
        key = scene.keys.get(Address(queue, state))
        for job, times in Counter(members(key) if key is not None else ()).items():
            found.setdefault(job, []).extend([state] * times)
    return found


def _swept(scene: Scene) -> bool:
    """Whether jobs may have gone without an event."""
    return any(outcome.method in _SWEEPS for outcome in scene.history.outcomes)


def _job(scene: Scene, queue: str, job: str) -> str:
    for name, label in scene.history.labels.items():
        if (label.queue, label.id) == (queue, job):
            return f"{queue}: job {name}"
    return f"{queue}: job {scene.names(job)}"
