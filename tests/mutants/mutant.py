"""The reference driver with one seeded fault: `mutant.py NAME`; sound, and noted down: `mutant.py --note FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from between import Between
from faults import FAULTS, Fault, Talk, Wire
from traffic import Notes


def between(fault: Talk | Wire) -> Between:
    return Between(fault) if isinstance(fault, Talk) else Between(Talk(fault.name, fault.story), fault)


if __name__ == "__main__":
    if sys.argv[1] == "--note":
        notes = Notes(Path(sys.argv[2]))
        talk = Talk("none", "nothing is wrong", ask=notes.ask, answer=notes.answer, tell=notes.tell)
        asyncio.run(Between(talk, Wire("none", talk.story, notes.change)).run())
    elif isinstance(fault := FAULTS[sys.argv[1]], Fault):
        from compat.ports.reference import driver

        fault.plant()
        driver.main()
    else:
        asyncio.run(between(fault).run())
