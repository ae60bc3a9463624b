"""Which cells exist: scenarios × arms × topologies, less what the port says it cannot do; and parts of them."""

from compat.plan.cells import Plan, cells
from compat.plan.needs import Need, missing
from compat.plan.shards import Shard, digest, sharded

__all__ = ["Need", "Plan", "Shard", "cells", "digest", "missing", "sharded"]
