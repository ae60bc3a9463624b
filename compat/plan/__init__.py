"""Which cells exist: scenarios × arms × topologies, less what the port says it cannot do."""

from compat.plan.cells import Plan, cells
from compat.plan.needs import Need, missing

__all__ = ["Need", "Plan", "cells", "missing"]
