"""Shards: a plan cut into parts of about the same length, the same ones on every machine."""

from __future__ import annotations

import hashlib
import statistics
from collections import defaultdict
from collections.abc import Mapping

from msgspec import Struct

from compat.model.cell import Cell
from compat.plan.cells import Plan


class Shard(Struct, frozen=True):
    """The `number`-th of `of` parts, from 1."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Shard:
        """`2/4`. Raises ValueError."""
        number, slash, of = text.partition("/")
        if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise ValueError(f"{text!r} is no shard; write I/N with 1 <= I <= N, as 2/4")
        return cls(int(number), int(of))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def sharded(plan: Plan, shard: Shard, seconds: Mapping[Cell, float]) -> Plan:
    """The part of `plan` that is this shard's.

    Cells that share an oracle cell stay together, so that none is played twice over the shards. The longest go first,
    each to the shard with the least so far; a cell without a past counts as the median of those that have one.
    """
    usual = statistics.median(seconds.values()) if seconds else 1.0
    length: dict[Cell, float] = defaultdict(float)
    for cell in plan.cells:
        length[cell.oracle] += seconds.get(cell, 0.0 if cell.arm == "oracle" else usual)
    for cell in plan.not_applicable:
        length[cell.oracle] += 0.0
    full = [0.0] * shard.of
    mine: set[Cell] = set()
    for oracle, weight in sorted(length.items(), key=lambda entry: (-entry[1], entry[0])):
        least = full.index(min(full))
        full[least] += weight
        if least == shard.number - 1:
            mine.add(oracle)
    return Plan(
        tuple(cell for cell in plan.cells if cell.oracle in mine),
        {cell: reason for cell, reason in plan.not_applicable.items() if cell.oracle in mine},
    )


def digest(plan: Plan) -> str:
    """Equal for plans of the same cells."""
    ids = sorted(cell.id for cell in (*plan.cells, *plan.not_applicable))
    return hashlib.sha256("\n".join(ids).encode("utf-8", "surrogatepass")).hexdigest()[:16]
