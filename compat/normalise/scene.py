"""A scene: one capture with all that is needed to read it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import msgspec

from compat.model.capture import Capture, Key, StreamEntry
from compat.model.history import History
from compat.model.scenario import Scenario
from compat.normalise.answers import ADDS, about, views
from compat.normalise.clock import INSTANT, Clock
from compat.normalise.names import Names, strings
from compat.normalise.text import number
from compat.wire.keys import Address, parse


def queues_of(scenario: Scenario) -> frozenset[str]:
    """The queues a scenario may touch: those of its objects, and those its calls name (`queueName`)."""
    named = {spec.queue_name for spec in scenario.objects.values()}
    texts = list(strings(msgspec.to_builtins(scenario.steps)))
    return frozenset(named | {after for before, after in itertools.pairwise(texts) if before == "queueName"})


class Scene:
    """A capture of a history: its keys by address, its names, its clock."""

    def __init__(
        self, scenario: Scenario, history: History, capture: Capture, names: Names, since: Capture | None = None
    ) -> None:
        self.scenario, self.history, self.capture, self.names = scenario, history, capture, names
        self.since = since  # the capture before this one
        self.clock = Clock(history)
        self.queues = queues_of(scenario)

    @cached_property
    def keys(self) -> dict[Address, Key]:
        found: dict[Address, Key] = {}
        for name, key in self.capture.keys.items():
            address = parse(self.capture.prefix, name)
            if address is not None and address.queue in self.queues and not _no_hash(address, key):
                found[address] = key
        return found

    @cached_property
    def foreign(self) -> dict[str, str]:
        """Names of keys that are not BullMQ's, or of a queue that the scenario does not have, with their types."""
        mine = {self.key_name(address) for address in self.keys}
        return {name: key.type for name, key in self.capture.keys.items() if name not in mine}

    def key_name(self, address: Address) -> str:
        pieces = [self.capture.prefix, address.queue]
        pieces += [address.id] if address.suffix == "job" else [address.suffix, address.id]
        pieces.append(address.part)
        return ":".join(piece for piece in pieces if piece)

    def of(self, suffix: str, part: str = "") -> Iterator[tuple[Address, Key]]:
        """All keys of one kind."""
        return ((a, key) for a, key in self.keys.items() if a.suffix == suffix and a.part == part)

    def key(self, queue: str, suffix: str) -> Key | None:
        return self.keys.get(Address(queue, suffix))

    def job(self, queue: str, job: str) -> dict[str, str]:
        """The fields of a job's hash, empty when there is none."""
        key = self.keys.get(Address(queue, "job", job))
        return key.fields if key is not None else {}

    def entries(self, queue: str) -> tuple[StreamEntry, ...]:
        key = self.key(queue, "events")
        return key.entries if key is not None else ()

    @property
    def live_queues(self) -> list[str]:
        """Queues of which anything is stored, sorted."""
        return sorted({address.queue for address in self.keys})

    def timestamp(self, queue: str, job: str, text: str) -> str:
        """A job's `timestamp`: `<instant>` when it lies in the window of a call that added the job (where one is
        known, else in the cell's), the text itself otherwise."""
        windows = [
            (outcome.sent_ms, outcome.answered_ms)
            for outcome in self.history.outcomes
            if outcome.method in ADDS and about(outcome, queue)
            for view in views(outcome)
            if str(view.get("id")) == job
        ]
        if not windows:
            return self.clock.instant(text, self.capture.at_ms)
        ms = number(text)
        read = isinstance(ms, int) and any(self.clock.within(ms, *window) for window in windows)
        return INSTANT if read else text

    def span(self, queue: str, job: str) -> tuple[float, float] | None:
        """The range between whose bounds chance decides this job's delay (`ranges` of the scenario), in ms."""
        return span(self.scenario, self.history, queue, job)

    def delay(self, queue: str, job: str, ms: float) -> str:
        """A delay in ms as a name: its range, or the number."""
        bounds = self.span(queue, job)
        if bounds is not None and bounds[0] <= ms <= bounds[1]:
            return range_name(bounds)
        return f"{ms:.17g}"


def span(scenario: Scenario, history: History, queue: str, job: str) -> tuple[float, float] | None:
    for name, bounds in scenario.ranges.items():
        label = history.labels.get(name.rpartition(".")[0])
        if name.endswith(".delay") and label is not None and (label.queue, label.id) == (queue, job):
            return bounds
    return None


def maps(value: Any) -> Iterator[dict[str, Any]]:
    """Every map in a value, `msgspec.to_builtins` of a scenario's steps for example, the outer ones first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from maps(item)


def range_name(bounds: tuple[float, float]) -> str:
    return f"<{bounds[0]:g}..{bounds[1]:g}>"


def _no_hash(address: Address, key: Key) -> bool:
    """A key in the place of a job's hash that is no hash: nobody's."""
    return address.suffix == "job" and not address.part and key.type != "hash"


def shaped(key: Key, expected: str) -> Any:
    """None when a key has the expected type; else what it is instead, as a value to compare."""
    if key.type == expected:
        return None
    return f"<a {key.type}, not a {expected}>"
