"""Timing: a port that is late in every sample, by more than the machine can be blamed for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct, structs

from compat.compare import Lateness
from compat.compare.levels import at_least, weight
from compat.model.facts import Span
from compat.model.scenario import Scenario
from compat.model.verdict import CellVerdict, Difference, Level

SCOPE = "timing"


class Sample(Struct, frozen=True):
    """One play of a cell and of its oracle's, under the same load."""

    oracle: Lateness
    port: Lateness


def in_time(scenario: Scenario, samples: Sequence[Sample]) -> bool:
    """Whether no span is late. More samples cannot change that: the port's smallest only shrinks, the oracle's largest
    only grows."""
    return not any(_is_late(span, samples) for span in scenario.timing)


def timed(scenario: Scenario, verdict: CellVerdict, samples: Sequence[Sample], gate: Level) -> CellVerdict:
    """The verdict on what a cell left, in the light of the samples."""
    late = tuple(_differences(scenario, samples))
    made = {f"{SCOPE}/{_what(span)}": 1 for span in scenario.timing}
    return structs.replace(
        verdict,
        word="fail" if any(at_least(one.level, gate) for one in late) else verdict.word,
        differences=verdict.differences + late,
        checks=verdict.checks + len(made),
        made=verdict.made | made,
    )


def _is_late(span: Span, samples: Sequence[Sample]) -> bool:
    return _smallest(span, samples) > _largest(span, samples) + span.bound


def _smallest(span: Span, samples: Sequence[Sample]) -> float:
    return min(sample.port[span.name] for sample in samples)


def _largest(span: Span, samples: Sequence[Sample]) -> float:
    return max(sample.oracle[span.name] for sample in samples)


def _differences(scenario: Scenario, samples: Sequence[Sample]) -> Iterator[Difference]:
    """The values are words: figures change from run to run, and a baseline must know a difference again."""
    for span in scenario.timing:
        if _is_late(span, samples):
            found = weight(_what(span))
            least, most = _smallest(span, samples), _largest(span, samples)
            port = "never comes to it" if least == math.inf else f"is late by {least:,.0f} ms or more"
            yield Difference(
                check=f"{scenario.id}#{SCOPE}/{_what(span)}",
                level=found.level,
                where=span.name,
                oracle="in time",
                port=f"late by more than {span.bound} ms",
                words=f"{span.name}: in each of {len(samples)} samples the port {port}, the oracle by {most:,.0f} ms "
                "at most",
                why=scenario.why or found.why,
            )


def _what(span: Span) -> str:
    return f"lateness.{span.name}"
