"""Sharing: attempts of both sides go past a gate one by one, in turn or as a seed draws it."""

from __future__ import annotations

import random
from collections.abc import Mapping

from compat.execute.stage import Stage
from compat.execute.waiting import Waiting
from compat.model.cell import Side
from compat.model.history import Attempt
from compat.model.steps import Share


class Sharing:
    """Decides which side lets go next, and so which side takes the next job: the other's slots are all held."""

    def __init__(self, stage: Stage, waiting: Waiting) -> None:
        self._stage, self._waiting = stage, waiting

    async def share(self, share: Share) -> None:
        """Returns when nothing is held at the gate and no worker has anything to do. Raises `Trouble`."""
        processor = self._stage.processor
        draw = random.Random(share.seed) if share.seed is not None else None
        last: Side | None = None
        while True:
            await self._waiting.settled()
            held = processor.held_at(share.gate)
            if not held:
                return
            index = chosen(held, last, draw)
            last = held[index].side
            processor.let_go(share.gate, index)
            self._stage.dirty = True


def chosen(held: Mapping[int, Attempt], last: Side | None, draw: random.Random | None) -> int:
    """The number of the attempt that goes next: the oldest of the side whose turn it is, or any.

    What is drawn hangs on how many each side holds, not on which of them came first: two workers that start at once
    come in either order.
    """
    ordered = sorted(held, key=lambda index: (held[index].side, held[index].worker, index))
    if draw is not None:
        return draw.choice(ordered)
    return next((index for index in ordered if held[index].side != last), ordered[0])
