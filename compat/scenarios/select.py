"""Selection: which scenarios a command line asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from compat.model.scenario import Scenario
from compat.scenarios.complaint import nearest


class NoSuchScenario(Exception):
    """A pattern or a tag chose nothing; the text says what is near."""


#: Tags of scenarios that are run only when a pattern or a tag asks for them: they need more than every machine has.
ASIDE = frozenset({"skew"})


def everyday(scenarios: Iterable[Scenario]) -> tuple[Scenario, ...]:
    """Those that are run when none is asked for by name or tag."""
    return tuple(scenario for scenario in scenarios if ASIDE.isdisjoint(scenario.tags))


def select(
    scenarios: Iterable[Scenario], patterns: Sequence[str] = (), tags: Sequence[str] = ()
) -> tuple[Scenario, ...]:
    """Scenarios whose id matches one of `patterns` (globs) and which carry one of `tags`; none given: all.

    Raises NoSuchScenario for a pattern or a tag that nothing matches.
    """
    scenarios = tuple(scenarios)
    ids = [scenario.id for scenario in scenarios]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in ids):
            raise NoSuchScenario(f"no scenario matches `{pattern}`; {_near(pattern, ids)}")
    known = {tag for scenario in scenarios for tag in scenario.tags}
    for tag in tags:
        if tag not in known:
            raise NoSuchScenario(f"no scenario has the tag `{tag}`; {nearest(tag, known)}")
    chosen = tuple(
        scenario
        for scenario in scenarios
        if (not patterns or any(fnmatchcase(scenario.id, pattern) for pattern in patterns))
        and (not tags or not set(tags).isdisjoint(scenario.tags))
    )
    if not chosen and (patterns or tags):
        raise NoSuchScenario(f"no scenario matches {', '.join(patterns)} and has a tag of {', '.join(tags)}")
    return chosen


def _near(pattern: str, ids: Sequence[str]) -> str:
    """What a mistyped pattern could have meant: an id of the folder it names, else any id or folder."""
    folder = f"{pattern.partition('/')[0]}/"
    inside = [name for name in ids if name.startswith(folder)]
    if inside and "*" not in pattern:
        return nearest(pattern, inside, stem=folder)
    return nearest(pattern, _globs(ids) if "*" in pattern else ids, inside or _globs(ids))


def _globs(ids: Iterable[str]) -> set[str]:
    return {f"{name.partition('/')[0]}/*" for name in ids}
