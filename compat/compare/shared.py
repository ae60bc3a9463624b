"""Laws of a shared queue: what two sides that work on one queue must keep together. Judged in the arm `shadow` only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from msgspec import UNSET

from compat.model.cell import Side
from compat.model.scenario import Scenario
from compat.model.steps import Expire, Start, Stop
from compat.normalise.names import stream_ms
from compat.normalise.scene import Scene
from compat.normalise.text import number
from compat.protocol.values import decode
from compat.wire.states import members

Holder = tuple[str, Side]  # a worker of a scenario, on one side

_LEAVES_ACTIVE = ("waiting", "delayed", "completed", "failed", "waiting-children", "removed")
_LIMITS = {
    "concurrency": ("queue.setGlobalConcurrency", "queue.removeGlobalConcurrency"),
    "rate": ("queue.setGlobalRateLimit", "queue.removeGlobalRateLimit", "queue.rateLimit", "queue.removeRateLimitKey"),
}


def start_order(scene: Scene) -> Iterator[str]:
    """Whichever side takes it, the oldest of the most urgent jobs starts first: else a side starves jobs.

    Only first starts are held against each other, of jobs that waited from their adding on. What is `lifo`, came by a
    delay, a parent or a retry, or has no hash any more to tell its priority, has another place and is left out.
    """
    if not _shared(scene) or any(outcome.method == "job.changePriority" for outcome in scene.history.outcomes):
        return
    for queue in scene.live_queues:
        waiting: dict[str, tuple[int, int]] = {}  # job → priority, place
        for place, (event, job, row) in enumerate(_events(scene, queue)):
            if event == "waiting" and not row.get("prev"):
                fields = scene.job(queue, job)
                priority = number(fields.get("priority") or "0")
                if fields and '"lifo":true' not in fields.get("opts", "") and isinstance(priority, int):
                    waiting[job] = (priority, place)
            elif event == "active" and job in waiting:
                mine = waiting.pop(job)
                first = min(waiting, key=lambda other: waiting[other], default=None)
                if first is not None and waiting[first] < mine:
                    yield f"{queue}: job {scene.names(job)} started while job {scene.names(first)} was before it"
            elif event in _LEAVES_ACTIVE:
                waiting.pop(job, None)


def concurrency_kept(scene: Scene) -> Iterator[str]:
    """All sides together keep to a queue's global concurrency: else more jobs run than what is behind can take."""
    if not _shared(scene):
        return
    for queue in scene.live_queues:
        limit = _limit(scene, queue, "concurrency").get("concurrency")
        active: set[str] = set()
        if not isinstance(limit, int):
            continue
        for event, job, _ in _events(scene, queue):
            if event == "active":
                active.add(job)
                if len(active) > limit:
                    yield f"{queue}: job {scene.names(job)} was the {len(active)}th active where {limit} may be"
            elif event in _LEAVES_ACTIVE:
                active.discard(job)


def rate_kept(scene: Scene) -> Iterator[str]:
    """All sides together keep to a queue's global rate limit: else what is behind is called too often.

    A window begins with the first start after the last one's end (moveToActive counts in a key that expires); times are
    those of Redis, in ms.
    """
    if not _shared(scene) or any(step.expire == Expire(key="limiter") for step in scene.scenario.steps):
        return
    for queue in scene.live_queues:
        limit = _limit(scene, queue, "rate")
        most, duration = limit.get("max"), limit.get("duration")
        if not (isinstance(most, int) and isinstance(duration, int)):
            continue
        since, started = 0, 0
        for at, job in _starts(scene, queue):
            if not started or at >= since + duration:
                since, started = at, 0
            started += 1
            if started > most:
                yield f"{queue}: job {scene.names(job)} was start {started} in {duration} ms where {most} may be"


def worked_once(scene: Scene) -> Iterator[str]:
    """A processor is called once for each time that a job becomes active: else both sides did the same work."""
    if not _shared(scene):
        return
    for queue in scene.live_queues:
        events = list(_events(scene, queue))
        whole = {job for event, job, _ in events if event == "added"}  # the beginning of the others is trimmed
        starts = Counter(job for event, job, _ in events if event == "active")
        calls = Counter(a.job for a in scene.history.attempts if a.queue == queue and a.at_ms <= scene.capture.at_ms)
        for job, count in calls.items():
            if job in whole and count > starts[job]:
                yield f"{queue}: job {scene.names(job)} was worked on {count} times and started {starts[job]} times"


def rescued(scene: Scene) -> Iterator[str]:
    """When all is over no job is in a dead worker's hands: else the other side does not rescue orphans."""
    if not _shared(scene) or scene.capture is not scene.history.captures[-1] or scene.capture.workers_open:
        return
    if scene.history.failure is not None:
        return
    for queue in scene.live_queues:
        active = scene.key(queue, "active")
        worked = {attempt.job for attempt in scene.history.attempts if attempt.queue == queue}
        for job in members(active) if active is not None else ():
            if job in worked:
                yield f"{queue}: job {scene.names(job)} is still active, and no worker is open"


def interleaved(scene: Scene) -> Iterator[str]:
    """`drained` stands where the last job of all sides has ended: else a reader takes a busy queue for an empty one.

    Each script writes its events at once, so that the stream is one order of all sides' scripts (each job's own life is
    the law `legal-life`). moveToFinished says `drained` when nothing waits, by age or by priority, and nothing is
    active; what waits in a paused queue does not count.
    """
    if not _shared(scene) or _removed_silently(scene):
        return
    for queue in scene.live_queues:
        active: set[str] = set()
        waiting: set[str] = set()
        paused = False
        for event, job, _ in _events(scene, queue):
            if event in ("paused", "resumed"):
                paused = event == "paused"
            elif event == "drained":
                left = active if paused else active | waiting
                if left:
                    first = min(left)
                    yield f"{queue}: `drained` while job {scene.names(first)} was {_whereabouts(first in active)}"
            if event in ("waiting", "active", *_LEAVES_ACTIVE):
                active.discard(job)
                waiting.discard(job)
            if event in ("waiting", "active"):
                (active if event == "active" else waiting).add(job)


def _whereabouts(active: bool) -> str:
    return "active" if active else "waiting"


def lock_kept(scene: Scene) -> Iterator[str]:
    """A worker that lives keeps its jobs' locks: else a job that somebody works on is given to somebody else.

    A job that stalls is one that nobody held a lock on any more. Where the scenario takes locks or workers away, blocks
    a worker, or works by hand, a stall is what it asks for.
    """
    if not _shared(scene) or _unlocks(scene):
        return
    for queue in scene.live_queues:
        for event, job, _ in _events(scene, queue):
            if event == "stalled":
                yield f"{queue}: job {scene.names(job)} stalled, and no worker was taken away"


def slots_kept(scene: Scene) -> Iterator[str]:
    """A worker has no more jobs in hand than it has slots, whatever comes from where: else `concurrency` means nothing.

    A start is its worker's whose processor was called for it: the n-th start of a job belongs to the n-th call, where
    there are as many. Jobs of workers that are taken away stay active: such scenarios are left out.
    """
    if not _shared(scene) or _unlocks(scene):
        return
    slots = _slots(scene.scenario)
    for queue in scene.live_queues:
        calls: dict[str, list[Holder]] = defaultdict(list)
        for attempt in scene.history.attempts:
            if attempt.queue == queue and attempt.at_ms <= scene.capture.at_ms:
                calls[attempt.job].append((attempt.worker, attempt.side))
        starts = Counter(job for event, job, _ in _events(scene, queue) if event == "active")
        holders = {job: iter(found) for job, found in calls.items() if len(found) == starts[job]}
        hands: dict[Holder, set[str]] = defaultdict(set)
        for event, job, _ in _events(scene, queue):
            if event in ("active", *_LEAVES_ACTIVE):
                for jobs in hands.values():
                    jobs.discard(job)
            if event == "active" and job in holders:
                holder = next(holders[job])
                hands[holder].add(job)
                most = slots.get(holder[0])
                if most is not None and len(hands[holder]) > most:
                    words = f"{holder[0]} ({holder[1]}) took job {scene.names(job)}"
                    yield f"{queue}: {words} as its {len(hands[holder])}th where it has {most} slots"


def _slots(scenario: Scenario) -> dict[str, int]:
    """Worker → its `concurrency`, the largest where it is started in several ways."""
    found: dict[str, int] = {}
    for name, spec in scenario.objects.items():
        if spec.kind == "worker":
            ways = [spec.opts] + [
                {**spec.opts, **step.start.opts}
                for step in scenario.steps
                if isinstance(step.start, Start) and step.start.worker == name
            ]
            many = [opts.get("concurrency", 1) for opts in ways]
            if all(isinstance(number, int) for number in many):
                found[name] = max(many)
    return found


def _unlocks(scene: Scene) -> bool:
    """Whether locks may run out: workers die, stand still or are cut off, locks are deleted, or jobs held by hand."""
    scenario = scene.scenario
    taken = any(
        step.kill is not None
        or step.fault is not None
        or (step.expire is not None and step.expire.lock is not None)
        or (isinstance(step.stop, Stop) and step.stop.force)
        for step in scenario.steps
    )
    blocked = any(
        rule.then.die is True or any(action.spin is not UNSET for action in rule.do) for rule in scenario.program
    )
    return taken or blocked or any(outcome.method == "worker.getNextJob" for outcome in scene.history.outcomes)


def _removed_silently(scene: Scene) -> bool:
    """Whether jobs may have gone without an event of their own."""
    silent = ("queue.drain", "queue.clean", "queue.obliterate")
    return any(outcome.method in silent for outcome in scene.history.outcomes)


def _shared(scene: Scene) -> bool:
    return scene.history.cell.arm == "shadow"


def _events(scene: Scene, queue: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    for entry in scene.entries(queue):
        row = dict(entry.fields)
        yield row.get("event", ""), row.get("jobId", ""), row


def _starts(scene: Scene, queue: str) -> Iterator[tuple[int, str]]:
    """(ms of Redis's clock, job) for each start."""
    for entry in scene.entries(queue):
        row = dict(entry.fields)
        if row.get("event") == "active":
            yield stream_ms(entry.id)[0], row.get("jobId", "")


def _limit(scene: Scene, queue: str, kind: str) -> dict[str, object]:
    """The limit of a queue, where it is set once, before any worker starts, and not touched again; else nothing."""
    sets, *others = _LIMITS[kind]
    called = [outcome for outcome in scene.history.outcomes if outcome.queue == queue]
    setting = [outcome for outcome in called if outcome.method == sets and outcome.problem is None]
    if len(setting) != 1 or any(outcome.method in others for outcome in called):
        return {}
    step = setting[0].step
    call = scene.scenario.steps[step].call if 0 <= step < len(scene.scenario.steps) else None
    if call is None or step > _first_start(scene.scenario):
        return {}
    args = decode(call.args)
    return args if isinstance(args, dict) else {}


def _first_start(scenario: Scenario) -> int:
    return next((n for n, step in enumerate(scenario.steps) if step.start is not None), len(scenario.steps))
