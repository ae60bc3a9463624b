"""A coroutine apart has a context of its own, and for the rest is awaited as any other."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from bullmq_ref.apart import Apart

_name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")


async def _call_oneself(name: str) -> tuple[str, str]:
    before = _name.get()
    _name.set(name)
    await asyncio.sleep(0)
    return before, _name.get()


async def test_what_is_set_in_a_coroutine_apart_stays_in_it() -> None:
    _name.set("somebody")
    assert await Apart(_call_oneself("a")) == ("somebody", "a")
    assert await Apart(_call_oneself("b")) == ("somebody", "b")
    assert _name.get() == "somebody"


async def test_a_task_that_it_starts_inherits_its_context() -> None:
    async def start() -> str:
        _name.set("a")
        return (await asyncio.create_task(_call_oneself("b")))[0]

    assert await Apart(start()) == "a"


async def test_what_it_raises_is_raised_where_it_is_awaited() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("for a reason")

    with pytest.raises(ValueError, match="for a reason"):
        await Apart(fail())


async def test_it_hears_of_its_cancellation_and_of_its_deadline() -> None:
    heard: list[str] = []

    async def wait() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            heard.append(f"{_name.get()}: {error}")
        return "went on"

    async def apart() -> str:
        return await Apart(wait())

    task = asyncio.create_task(apart())
    await asyncio.sleep(0)
    task.cancel("enough")
    assert await task == "went on"
    assert heard == ["nobody: enough"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await Apart(asyncio.Event().wait())


async def test_it_is_closed_with_the_one_that_awaits_it() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(_name.get())

    async def apart() -> None:
        _name.set("closed")
        await Apart(wait())

    outer = apart()
    contextvars.copy_context().run(outer.send, None)
    outer.close()
    assert ended == ["closed"]
