"""The laws of one job, as it stood at one instant: those of every capture, held against a capture of that job alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compat.compare.laws import LAWS
from compat.model.capture import Capture
from compat.model.cell import Cell
from compat.model.history import History
from compat.model.scenario import ObjectSpec, Scenario
from compat.normalise.names import Names
from compat.normalise.scene import Scene
from compat.watch import fields
from compat.watch.findings import Finding
from compat.watch.reading import Look
from compat.wire.states import SORTED

#: Laws that need nothing but the job's own keys.
OF_A_JOB: Final = ("one-state", "no-stranded-hash", "no-dangling-member", "no-orphan-lock")


class _AsTheyAre(Names):
    """Nothing is renamed: whoever is told looks for the names in Redis."""

    def __init__(self) -> None:
        pass

    def __call__(self, text: str) -> str:
        return text


def broken(prefix: str, queue: str, look: Look) -> Iterator[Finding]:
    """Every law that a job breaks, and every field of it that is stored wrongly."""
    scene = _scene(prefix, queue, look)
    for law in OF_A_JOB:
        if law == "no-stranded-hash" and not look.settled:
            continue
        for words in LAWS[law](scene):
            yield Finding(law, look.id, words, why(law))
    if not look.fields:
        return
    for part, words, reason in fields.of_job(look.fields):
        yield Finding("field", part, f"{queue}: job {look.id}: {words}", reason)
    for _, words, reason in fields.order(look.fields):
        yield Finding("time-order", look.id, f"{queue}: job {look.id}: {words}", reason)
    for state in SORTED:
        if (key := look.keys.get(state)) is not None:
            for part, words, reason in fields.of_score(state, key.scores[0][1], look.fields):
                yield Finding("score", part, f"{queue}: job {look.id}: {words}", reason)


def why(law: str) -> str:
    """Why a law matters."""
    return " ".join((LAWS[law].__doc__ or "").split())


def _scene(prefix: str, queue: str, look: Look) -> Scene:
    scenario = Scenario(
        schema=1, id="watch", title="", covers=(), objects={"queue": ObjectSpec(queue=queue)}, steps=(), expect=()
    )
    history = History(Cell("watch", "self", "single"), prefix, 0, 0, {})
    keys = {f"{prefix}:{queue}:{part}": key for part, key in look.keys.items()}
    return Scene(scenario, history, Capture("now", 0, 0, prefix, keys), _AsTheyAre())
