"""A walk through the protocol with one driver: each step is tried, and what went wrong is explained."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec import Struct

from compat.authoring.guide import Guide, Unreached, Wrong
from compat.authoring.steps import STEPS
from compat.drivers import Driver, DriverError
from compat.drivers.errors import CallRaised
from compat.servers import embedded

Word = Literal["ok", "wrong", "not offered", "not reached"]


class Walked(Struct, frozen=True):
    """One step: what the driver had to do, and how it went. `remedy` says what to change."""

    title: str
    word: Word
    seen: str = ""
    expected: str = ""
    remedy: str = ""
    stderr: tuple[str, ...] = ()


async def walk(
    command: tuple[str, ...], *, bullmq: str, transcript: Path | None = None
) -> AsyncGenerator[Walked, None]:
    """Start the driver, and try every step of the protocol on a server of our own; one record a step.

    A step that the driver does not offer is said to be so; after a step that leaves nothing to go on with, the others
    are `not reached`. Raises `ServerError` when there is no server.
    """
    launch = partial(Driver.launch, command, bullmq=bullmq, transcript=transcript)
    async with embedded("single") as single, embedded("cluster") as cluster:
        guide = Guide(launch, {"single": single, "cluster": cluster})
        try:
            lost = False
            for title, step in STEPS:
                if lost:
                    yield Walked(title, "not reached")
                    continue
                walked, lost = await _take(title, step, guide)
                yield walked
        finally:
            await guide.close()


async def _take(title: str, step: Callable[[Guide], Awaitable[str | None]], guide: Guide) -> tuple[Walked, bool]:
    """Try one step: its record, and whether there is nothing to go on with."""
    try:
        lacking = await step(guide)
    except Unreached:
        return Walked(title, "not reached"), False
    except Wrong as wrong:
        said = wrong.stderr or guide.stderr
        return Walked(title, "wrong", wrong.seen, wrong.expected, wrong.remedy, said), wrong.final
    except CallRaised as raised:
        seen = f"the port raised {raised.problem.symbol}: {raised.problem.text}"
        remedy = "see why the port refuses this call"
        if "permission" in raised.problem.text.lower():
            remedy = "use the prefix and the user of `scenario.begin`: this user may touch no other keys"
        return Walked(title, "wrong", seen, "an answer", remedy, guide.stderr), False
    except DriverError as error:
        expected = "an answer of the protocol within the deadline"
        return Walked(title, "wrong", error.text, expected, error.hint, error.stderr or guide.stderr), True
    return Walked(title, "ok") if lacking is None else Walked(title, "not offered", lacking), False
