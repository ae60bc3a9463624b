"""How much of BullMQ's Lua the suite runs: the oracle with instrumented copies of its scripts."""

from compat.coverage.copy import Copy, instrumented
from compat.coverage.hits import ScriptHits, hits

__all__ = ["Copy", "ScriptHits", "hits", "instrumented"]
