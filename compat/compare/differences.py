"""Differences: what the port left otherwise than the oracle, place by place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from compat.compare.levels import weight
from compat.compare.spelled import same
from compat.compare.words import ABSENT, place_name, sentence
from compat.model.history import History
from compat.model.scenario import Scenario
from compat.model.verdict import Difference
from compat.normalise import RUN, Canonical, Place, canonical


class Comparison(Struct, frozen=True):
    """`made`: check, without the scenario → places compared under it, equal or not; all in the order of events."""

    made: dict[str, int] = {}
    differences: tuple[Difference, ...] = ()

    @property
    def checks(self) -> int:
        return sum(self.made.values())


def compare(scenario: Scenario, oracle: History | Canonical, port: History) -> Comparison:
    """Compare two histories of one scenario, place by place; the oracle's may come canonical from a golden.

    Of a port that broke off only what it came to is compared: the captures it has, the calls up to its last step. What
    objects tell their users is compared where the port's driver says that it passes it on.
    """
    one = canonical(scenario, oracle) if isinstance(oracle, History) else oracle
    other = canonical(scenario, port)
    places = tuple(_places(scenario, one, other, port))
    return Comparison(
        dict(Counter(f"{place.scope}/{place.what}" for place in places)),
        tuple(
            _difference(scenario, one, other, place)
            for place in places
            if not same(_get(one, place), _get(other, place)) and not _told_already(one, other, place)
        ),
    )


def differences(scenario: Scenario, oracle: History, port: History) -> tuple[Difference, ...]:
    """All differences between two histories."""
    return compare(scenario, oracle, port).differences


def _places(scenario: Scenario, one: Canonical, other: Canonical, port: History) -> Iterator[Place]:
    labels = {RUN, *(capture.label for capture in port.captures)}
    kinds = {scenario.objects[name].kind for name in port.unheard}
    unheard = {f"notices.{name}" for name in (*port.unheard, *kinds)}
    for place in dict.fromkeys((*one.values, *other.values)):
        if place.scope not in labels or place.what in unheard:
            continue
        if port.failure is not None and place.scope == RUN:
            if not place.what.startswith("call.") or _step(place) > port.failure.step:
                continue
            if _step(place) == port.failure.step and place not in other.values:
                continue  # the failure itself tells that this call was not answered
        yield place


def _step(place: Place) -> int:
    return int(place.subject.partition(".")[0])


def _told_already(one: Canonical, other: Canonical, place: Place) -> bool:
    """A job that one side does not have at all is told once, not for each of its fields; a text that cannot mean the
    same because its value differs is told as that value's difference."""
    if place.what.startswith("job."):
        whole = Place(place.scope, "job", place.queue, place.subject)
        if (whole in one.values) != (whole in other.values):
            return True
    if place.what.endswith(".bytes"):
        value = Place(place.scope, place.what.removesuffix(".bytes"), place.queue, place.subject)
        return not same(_get(one, value), _get(other, value))
    return False


def _get(canon: Canonical, place: Place) -> Any:
    """What stands at a place; a place that is missing is told from one that holds null."""
    return [canon.values[place]] if place in canon.values else []


def _difference(scenario: Scenario, one: Canonical, other: Canonical, place: Place) -> Difference:
    oracle, port = one.values.get(place, ABSENT), other.values.get(place, ABSENT)
    key = (place.queue, place.subject)
    title = one.titles.get(key) or other.titles.get(key) or ""
    if not title and place.what.partition(".")[0] in ("job", "attempts") and place.subject:
        title = f"job {place.subject}"
    found = weight(place.what)
    return Difference(
        check=f"{scenario.id}#{place.scope}/{place.what}",
        level=found.level,
        where=place_name(place, title),
        oracle=None if oracle is ABSENT else oracle,
        port=None if port is ABSENT else port,
        words=sentence(place, title, oracle, port),
        why=scenario.why if not found.why else found.why,
    )
