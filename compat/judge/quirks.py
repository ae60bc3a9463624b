"""Quirks: where the oracle's version errs, a side that does better is right as well; which it does is seen by facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from msgspec import structs

from compat.compare import missed_facts
from compat.model.facts import Quirk
from compat.model.history import History
from compat.model.scenario import Scenario
from compat.model.verdict import Difference, Seen


def seen(scenario: Scenario, history: History) -> dict[str, Seen]:
    """Quirk → `mended` where all its facts hold in the history, else `kept`."""
    return {
        quirk.name: "kept"
        if missed_facts(structs.replace(scenario, expect=quirk.expect, losses=()), history)
        else "mended"
        for quirk in scenario.quirks
    }


def excused(scenario: Scenario, check: str, quirks: Callable[[str], bool]) -> Quirk | None:
    """The quirk, of those that `quirks` names, that lets a check come out differently. `check` has no scenario."""
    for quirk in scenario.quirks:
        if quirks(quirk.name) and any(fnmatchcase(check, place) for place in quirk.places):
            return quirk
    return None


def softened(
    scenario: Scenario, differences: Iterable[Difference], quirks: Callable[[str], bool]
) -> Iterator[Difference]:
    """Differences, those that a quirk excuses as notes."""
    for difference in differences:
        quirk = excused(scenario, difference.check.partition("#")[2], quirks)
        if quirk is None:
            yield difference
        else:
            why = f"Quirk {quirk.name}: {quirk.reason} Mended in {quirk.mended}."
            yield structs.replace(difference, level="note", why=why)


def parted(oracle: Mapping[str, Seen], port: Mapping[str, Seen]) -> Callable[[str], bool]:
    """Whether two sides differ in a quirk: one has it, the other has it mended."""
    return lambda name: oracle.get(name, "kept") != port.get(name, "kept")
