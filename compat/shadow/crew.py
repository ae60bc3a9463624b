"""The crew: a worker and an adder of each side, each a driver process; whoever speaks the protocol can be a side."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from compat.drivers import Driver, DriverError
from compat.drivers.implementations import NODE_TARGET
from compat.model.cell import Side
from compat.protocol.messages import Begin, ProcessorAnswer, ProcessorCall, Redis, Welcome
from compat.shadow.ledger import WORKER, Ledger
from compat.shadow.plan import SIDES, Plan
from compat.shadow.work import Copy

T = TypeVar("T")


class SideFailed(Exception):
    """A driver broke the protocol or died; nothing more can be learnt from it."""

    def __init__(self, side: Side, error: DriverError) -> None:
        super().__init__(f"{side}: {error.text}")
        self.side, self.error = side, error


@dataclass(eq=False)
class Hand:
    """A driver process; a worker's is named `port-1`, an adder's `port-adder`."""

    name: str
    side: Side
    driver: Driver

    async def call(self, method: str, params: Any = None) -> Any:
        """Call it. Raises `CallRaised` when the port raised, `SideFailed` when the driver failed."""
        try:
            return await self.driver.call(method, params)
        except DriverError as error:
            raise SideFailed(self.side, error) from None

    async def kill(self) -> None:
        """SIGKILL."""
        await self.driver.kill()


async def _all(*calls: Awaitable[T]) -> list[T]:
    """The answers of all, or the error of one once the others have ended, too: nothing goes on behind an error."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]


class Crew:
    """Processes live from round to round. A worker that was killed is replaced by `again`."""

    def __init__(self, plan: Plan, commands: Mapping[Side, tuple[str, ...]]) -> None:
        self._plan, self._commands = plan, commands
        self._numbers = itertools.count(1)
        self._adders: dict[Side, Hand] = {}
        self._all: set[Hand] = set()
        self._begin = Begin("", "", Redis("single", ()))
        self._ledger = Ledger({})
        self._under_way = False
        self.workers: list[Hand] = []
        self.working: set[Side] = set()

    async def launch(self) -> dict[Side, Welcome]:
        """Start all four. What each side says of itself. Raises `SideFailed`."""
        hands = await _all(
            *(self._launch(f"{side}-adder", side) for side in SIDES),
            *(self._launch(f"{side}-{next(self._numbers)}", side) for side in SIDES),
        )
        self._adders = {hand.side: hand for hand in hands[:2]}
        self.workers = list(hands[2:])
        return {side: hand.driver.welcome for side, hand in self._adders.items()}

    async def _launch(self, name: str, side: Side) -> Hand:
        try:
            hand = Hand(name, side, await Driver.launch(self._commands[side], bullmq=NODE_TARGET))
        except DriverError as error:
            raise SideFailed(side, error) from None
        self._all.add(hand)
        return hand

    async def begin(self, number: int, prefix: str, redis: Redis, ledger: Ledger) -> None:
        """Begin a round: queues are opened, then workers."""
        self._begin = Begin(f"shadow/round-{number}", prefix, redis)
        self._ledger = ledger
        self._under_way = True
        await _all(*(hand.call("scenario.begin", self._begin) for hand in self._all))
        await _all(
            *(hand.call("queue.open", self._opening("q")) for hand in self._adders.values() if self.adds(hand.side))
        )
        for side in SIDES:
            await self.start(side)

    def _opening(self, name: str, **opts: Any) -> dict[str, Any]:
        return {"as": name, "name": self._plan.queue, "opts": {**opts, "prefix": self._begin.prefix}}

    def adds(self, side: Side) -> bool:
        """Whether it can add jobs at all."""
        return "add" in self._adders[side].driver.welcome.capabilities.queue

    async def add(self, side: Side, copy: Copy) -> str:
        """Add a job through a side's queue; its id. Raises `CallRaised`."""
        work = self._ledger.works[copy.number]
        job = await self._adders[side].call(
            "queue.add", {"on": "q", "name": copy.name, "data": work.data, "opts": work.opts}
        )
        return str(job.get("id", "")) if isinstance(job, dict) else ""

    async def start(self, side: Side) -> None:
        """Open a side's worker."""
        await self._start(next(hand for hand in self.workers if hand.side == side))

    async def _start(self, hand: Hand) -> None:
        hand.driver.serve(lambda method, params: self._serve(hand, method, params), None)
        await hand.call("worker.open", {**self._opening(WORKER, **self._plan.options), "processor": True})
        self.working.add(hand.side)

    async def stop(self, side: Side) -> None:
        """Close a side's worker: from here on the other one has the queue to itself."""
        hand = next(hand for hand in self.workers if hand.side == side)
        self.working.discard(side)
        await hand.call("worker.close", {"on": WORKER, "force": False})

    async def again(self, victim: Hand) -> Hand:
        """A worker in the place of one that was killed."""
        self._all.discard(victim)
        hand = await self._launch(f"{victim.side}-{next(self._numbers)}", victim.side)
        await hand.call("scenario.begin", self._begin)
        await self._start(hand)
        return hand

    async def end(self) -> None:
        """End the round with every process that lives; what was not closed is closed now. May be called again."""
        if not self._under_way:
            return
        self._under_way = False
        self.working.clear()
        alive = [hand for hand in self._all if hand.driver.broken is None]
        await asyncio.gather(*(hand.kill() for hand in self._all.difference(alive)))  # they might still write
        await _all(*(hand.call("scenario.end") for hand in alive))
        for hand in alive:
            hand.driver.serve(None, None)

    def check(self) -> None:
        """Raise `SideFailed` when a driver is beyond use: one that died does not tell until it is asked."""
        for hand in self._all:
            if hand.driver.broken is not None:
                raise SideFailed(hand.side, hand.driver.broken)

    async def close(self) -> None:
        """End every process."""
        await asyncio.gather(*(hand.driver.close() for hand in self._all))
        self._all.clear()

    async def _serve(self, hand: Hand, method: str, params: msgspec.Raw) -> ProcessorAnswer:
        """What the driver's processor asks: what shall this attempt do?"""
        if method != "processor.call":
            raise msgspec.ValidationError(f"no program of this run uses `{method}`")
        asked = msgspec.json.decode(params, type=ProcessorCall)
        call = self._ledger.begin(hand.name, hand.side, asked.job, asked.token, time.time() * 1000)
        if call is None:
            raise msgspec.ValidationError(f"the job {asked.job.get('name')!r} is none that was added here")
        work = self._ledger.works[call.copy.number]
        await asyncio.sleep(work.ms / 1000)  # the work that the job stands for
        call.ended_ms = time.time() * 1000
        return work.answer(call.attempt)
