"""The reference driver with one seeded fault: `mutant.py NAME`."""

from __future__ import annotations

import asyncio
import sys

from between import Between
from faults import FAULTS, Fault

if __name__ == "__main__":
    fault = FAULTS[sys.argv[1]]
    if isinstance(fault, Fault):
        from compat.ports.reference import driver

        fault.plant()
        driver.main()
    else:
        asyncio.run(Between(fault).run())
