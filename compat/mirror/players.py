"""The players in the shadow queue: drivers, one that adds the replays, and for `--impl` one that works on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from compat.drivers import CallRaised, Driver, DriverError, command_for
from compat.drivers.implementations import NODE_TARGET
from compat.mirror.model import Input, Pair
from compat.model.program import End as Told
from compat.model.program import Throw
from compat.protocol.messages import Begin, ProcessorAnswer, ProcessorCall, Redis
from compat.protocol.symbols import UNCLASSIFIED
from compat.watch.line import Away, CannotLook

ADDER: Final = "ref"
#: Replays that are kept in the shadow queue once they have ended, for people to look at. More than are ever added
#: before that is noted: an add that is made again finds its job there and does nothing.
KEPT: Final = 10_000
_TOGETHER = 100  # jobs in one call
_BYTES = 4 * 2**20  # of data in one call: a line of the protocol holds four times as much
_OPENED = 2_000  # jobs, after which the queue is opened anew: a driver remembers all that it has added


class Player:
    """A driver with one object open, started again when it has broken."""

    def __init__(self, implementation: str, prefix: str, redis: Redis) -> None:
        self._command = command_for(implementation)
        self._begin = Begin("mirror", prefix, redis)
        self._driver: Driver | None = None

    async def start(self) -> Driver:
        """The driver, ready. Raises `Away` when it is not: it may be later."""
        try:
            if self._driver is None or self._driver.broken is not None:
                await self.close()
                self._driver = await Driver.launch(self._command, bullmq=NODE_TARGET)
                await self._driver.call("scenario.begin", self._begin)
                await self.opened(self._driver)
        except CallRaised as raised:
            await self.close()
            raise Away(f"the shadow queue: {raised}") from None
        except DriverError as error:
            await self.close()
            said = f"; it said: {error.stderr[-1]}" if error.stderr else ""
            raise Away(f"the shadow queue: {error.text}{said}") from None
        return self._driver

    async def opened(self, driver: Driver) -> None:
        """Open what this player plays."""
        raise NotImplementedError

    async def close(self) -> None:
        """End the process."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()


class Adder(Player):
    """Adds replays to the shadow queue."""

    def __init__(self, queue: str, prefix: str, redis: Redis) -> None:
        super().__init__(ADDER, prefix, redis)
        self._queue = queue
        self._added = 0

    async def opened(self, driver: Driver) -> None:
        await driver.call("queue.open", {"as": "shadow", "name": self._queue, "opts": {}})
        self._added = 0

    async def add(self, inputs: Mapping[str, Input]) -> None:
        """Add jobs, which may have been added before. Raises `Away` when that is not certain: then it is to be made
        again; `CannotLook` when the shadow queue takes nothing."""
        driver = await self.start()
        try:
            if self._added >= _OPENED:
                await driver.call("queue.close", {"on": "shadow"})
                await self.opened(driver)
            for jobs in portions(inputs):
                await driver.call("queue.addBulk", {"on": "shadow", "jobs": jobs})
                self._added += len(jobs)
        except CallRaised as raised:
            await self.close()
            if raised.problem.symbol != UNCLASSIFIED or "NOPERM" in str(raised):
                raise CannotLook(f"the shadow queue takes no jobs: {raised}") from None
            raise Away(f"the shadow queue: {raised}") from None
        except DriverError as error:
            raise Away(f"the shadow queue: {error.text}") from None


class StandIn(Player):
    """A worker of an implementation that does with each job what production's did: it returns and throws the same, as
    often. What may still differ is what the implementation makes of that."""

    def __init__(self, implementation: str, queue: str, prefix: str, redis: Redis, pairs: Callable[[str], Pair | None]):
        super().__init__(implementation, prefix, redis)
        self._queue, self._pairs = queue, pairs

    async def opened(self, driver: Driver) -> None:
        driver.serve(self._asked, None)
        await driver.call("worker.open", {"as": "worker", "name": self._queue, "opts": {"concurrency": 10}})

    async def _asked(self, method: str, params: msgspec.Raw) -> Any:
        if method != "processor.call":
            raise msgspec.ValidationError(f"the mirror has no method `{method}`")
        job = msgspec.json.decode(params, type=ProcessorCall).job
        return ProcessorAnswer(told(self._pairs(str(job.get("id", ""))), job))


def told(pair: Pair | None, job: Mapping[str, Any]) -> Told:
    """How an attempt of a replay ends: as production's did, whose earlier attempts all failed."""
    if pair is None:
        return Told(throw="nothing is known of this job: it is none of the mirror's, or it has been compared already")
    end, attempt = pair.production, int(job.get("attemptsMade") or 0) + 1
    if end.attempts is not None and attempt < end.attempts:
        return Told(throw="an earlier attempt failed in production, too")
    if end.outcome == "completed":
        return Told(returned=msgspec.Raw(end.value.encode()) if _is_json(end.value) else end.value)
    allowed = int((job.get("opts") or {}).get("attempts") or 1)
    if attempt < allowed:
        return Told(throw=Throw(type="unrecoverable", message=end.value))
    return Told(throw=end.value)


def portions(inputs: Mapping[str, Input]) -> Iterator[list[dict[str, Any]]]:
    """Jobs as `queue.addBulk` takes them, in calls of bounded size. Data is handed on as the text that it is."""
    jobs: list[dict[str, Any]] = []
    size = 0
    for replay, given in inputs.items():
        if jobs and (len(jobs) == _TOGETHER or size + len(given.data) > _BYTES):
            yield jobs
            jobs, size = [], 0
        kept = {"removeOnComplete": {"count": KEPT}, "removeOnFail": {"count": KEPT}}
        opts = {**given.options, **kept, "jobId": replay}
        jobs.append({"name": given.name, "data": msgspec.Raw(given.data.encode()), "opts": opts})
        size += len(given.data)
    if jobs:
        yield jobs


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
