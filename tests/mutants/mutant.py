"""The reference driver with a seeded fault.

`mutant.py NAME` has one fault, `mutant.py --told FILE` the one that FILE names whenever a scenario begins. `mutant.py
--note FOLDER` has none, and writes down in FOLDER what passes by. The last two are two processes: what lies in the
library is done in the other one, `mutant.py --within …`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from between import Between, Seed
from faults import FAULTS, Fault, Talk, Wire, uproot
from traffic import Notes

SOUND = Talk("none", "nothing is wrong")


def outside(name: str) -> Seed:
    """What of a fault lies between the driver and its neighbours."""
    match FAULTS[name]:
        case Talk() as talk:
            return talk, None
        case Wire() as wire:
            return SOUND, wire
        case _:
            return SOUND, None


def plant(name: str) -> None:
    """Have the library of this process make the mistake, if it is one of the library's."""
    uproot()
    if isinstance(fault := FAULTS[name], Fault):
        fault.plant()


def serve(begun: Callable[[dict[str, Any]], None]) -> None:
    """The reference driver, in this process; `begun` is called with what each scenario begins with."""
    from compat.ports.reference import driver

    begin = driver.Driver.begin

    async def told(self: driver.Driver, params: dict[str, Any]) -> None:
        begun(params)
        await begin(self, params)

    setattr(driver.Driver, "begin", told)  # noqa: B010  # mypy: a method
    driver.main()


def main(first: str, *rest: str) -> None:
    match (first, *rest):
        case ("--told", file):
            told = Path(file)
            asyncio.run(Between(lambda: outside(told.read_text()), _within("--told", file)).run())
        case ("--within", "--told", file):
            told = Path(file)
            serve(lambda _: plant(told.read_text()))
        case ("--note", folder):
            notes = Notes(Path(folder))
            talk = Talk("none", SOUND.story, ask=notes.ask, answer=notes.answer, tell=notes.tell)
            seed = talk, Wire("none", SOUND.story, notes.change)
            asyncio.run(Between(lambda: seed, _within("--note", folder)).run())
        case ("--within", "--note", folder):
            notes = Notes(Path(folder))
            notes.listen(fault for fault in FAULTS.values() if isinstance(fault, Fault))
            serve(notes.begin)
        case (name,) if isinstance(FAULTS[name], Fault):
            serve(lambda _: plant(name))
        case _:
            asyncio.run(Between(lambda: outside(first)).run())


def _within(*words: str) -> tuple[str, ...]:
    return (sys.executable, __file__, "--within", *words)


if __name__ == "__main__":
    main(*sys.argv[1:])
