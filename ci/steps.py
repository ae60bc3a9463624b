"""Steps that need each other: only stale ones are made, each as soon as what it needs is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from ci.stamps import Stamps

#: s. Ctrl-C that another thread was given, or this one just before it began to wait, is heard only when a wait ends.
_LOOK = 0.2


@dataclass(frozen=True)
class Step:
    """Something that has to be there. `key` is the hash of its inputs, `make` makes it and may return a remark."""

    name: str
    key: str
    make: Callable[[], str | None]
    products: tuple[Path, ...] = ()
    needs: tuple[str, ...] = ()


def stale(steps: Sequence[Step], stamps: Stamps) -> tuple[Step, ...]:
    """The steps to make, in the order given (needs come first): changed or lost ones, and all that build on them."""
    names: set[str] = set()
    for step in steps:
        if names.intersection(step.needs) or not stamps.holds(step.name, step.key, step.products):
            names.add(step.name)
    return tuple(step for step in steps if step.name in names)


def make(steps: Sequence[Step], stamps: Stamps, say: Callable[[str], None], stop: Callable[[], None]) -> None:
    """Makes all of these steps, side by side where their needs allow; the first error ends the others by `stop`."""
    stamps.drop(step.name for step in steps)
    futures: dict[str, Future[None]] = {}

    def one(step: Step) -> None:
        for need in step.needs:
            if need in futures:
                futures[need].result()
        started = time.monotonic()
        remark = step.make()
        stamps.put(step.name, step.key)
        say(f"  {time.monotonic() - started:5.1f} s  {step.name}{f' ({remark})' if remark else ''}")

    with ThreadPoolExecutor(max_workers=max(1, len(steps))) as pool:
        try:  # from the first step on: Ctrl-C may come while others are still to be started
            for step in steps:  # a need is always submitted before what needs it
                futures[step.name] = pool.submit(one, step)
            pending = set(futures.values())
            while pending and not any(future.exception() for future in set(futures.values()) - pending):
                pending = wait(futures.values(), _LOOK, FIRST_EXCEPTION).not_done
            for step in _worst_first(futures, steps):
                futures[step.name].result()
        except BaseException:
            stop()
            raise


def _worst_first(futures: dict[str, Future[None]], steps: Sequence[Step]) -> Sequence[Step]:
    """The steps in order, or first the one that failed by itself: a step that needed it reports the same error."""
    failed = [step for step in steps if futures[step.name].done() and futures[step.name].exception()]
    return failed or steps
