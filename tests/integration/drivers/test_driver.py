"""What a driver does wrong is told apart, each with its own error; nothing it starts outlives it."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compat.drivers import CallRaised, Driver, DriverError, Pool
from compat.drivers import errors as fault
from compat.execute.facts import poll
from compat.model.program import End
from compat.protocol.messages import ProcessorAnswer, ProcessorCall

PUPPET = Path(__file__).resolve().parents[2] / "drivers" / "puppet.py"


def puppet(mode: str) -> tuple[str, ...]:
    return (sys.executable, str(PUPPET), mode)


async def launch(mode: str) -> Driver:
    return await Driver.launch(puppet(mode), bullmq="5.62.0")


async def ask(mode: str, deadline: int = 15_000, **params: Any) -> Any:
    driver = await launch(mode)

    async def handler(method: str, raw: msgspec.Raw) -> str:
        return msgspec.json.decode(raw, type=ProcessorCall).worker

    driver.serve(handler, None)
    try:
        return await driver.call("queue.add", params, deadline=deadline)
    finally:
        await driver.kill()


@pytest.mark.parametrize(
    ("mode", "error", "text"),
    [
        ("exits", fault.Died, "exit code 7"),
        ("greets", fault.Rubbish, "Hello, world!"),
        ("old-protocol", fault.Malformed, "bullmq-compat/0"),
        ("shapeless", fault.Malformed, "another shape"),
        ("refuses", fault.NotStarted, "not today"),
        ("mirrors", fault.Malformed, "this program echoes what it is sent .* does not speak bullmq-compat/1"),
    ],
)
async def test_a_handshake_that_fails_says_how(mode: str, error: type[DriverError], text: str) -> None:
    with pytest.raises(error, match=text):
        await launch(mode)


async def test_what_a_driver_said_before_it_left_is_kept() -> None:
    with pytest.raises(fault.Died) as caught:
        await launch("exits")
    assert caught.value.stderr == ("no module named bullmq",)


@pytest.mark.parametrize("attempt", range(5))
async def test_a_driver_that_ends_before_it_is_asked_anything_is_heard_out(attempt: int) -> None:
    with pytest.raises(fault.Died, match="exit code 7") as caught:
        await Driver.launch(("sh", "-c", "echo no module named bullmq >&2; exit 7"), bullmq="5.62.0")
    assert caught.value.stderr == ("no module named bullmq",)


async def test_a_command_that_does_not_exist_is_named() -> None:
    with pytest.raises(fault.NotStarted, match="/no/such/driver"):
        await Driver.launch(("/no/such/driver",), bullmq="5.62.0")


@pytest.mark.parametrize(
    ("mode", "error", "text"),
    [
        ("rubbish", fault.Rubbish, "not a message of the protocol"),
        ("not-an-object", fault.Rubbish, "not a message of the protocol"),
        ("dies", fault.Died, "killed by SIGKILL"),
        ("leaves", fault.Died, "exit code 3"),
        ("answers-another", fault.Stray, "99999"),
        ("no-result", fault.Malformed, "neither"),
        ("undeclared", fault.Undeclared, "declares what it does not do"),
        ("asks-badly", fault.Malformed, "another shape"),
        ("tells-nonsense", fault.Malformed, r"`\$int` of 'many' stands for no value"),
        ("tells-too-much", fault.Malformed, "no value that can be read"),
        ("tells-too-deep", fault.Malformed, "nested deeper than 120 levels"),
        ("nests-without-end", fault.Rubbish, "not a message of the protocol"),
    ],
)
async def test_each_way_to_break_the_protocol_has_an_error_of_its_own(
    mode: str, error: type[DriverError], text: str
) -> None:
    with pytest.raises(error, match=text):
        await ask(mode)


async def test_a_driver_that_hangs_is_late_and_not_used_again() -> None:
    driver = await launch("hangs")
    with pytest.raises(fault.Late, match="not answered within 100 ms"):
        await driver.call("queue.add", deadline=100)
    assert isinstance(driver.broken, fault.Late)
    with pytest.raises(fault.Late):
        await driver.call("queue.add")
    await driver.kill()
    assert not driver.process.alive


async def test_an_answer_given_twice_breaks_the_driver() -> None:
    driver = await launch("answers-twice")
    assert await driver.call("queue.add") == 1
    with pytest.raises(fault.Stray, match="again"):
        await driver.call("ping")
    await driver.kill()


async def test_answers_may_come_in_any_order() -> None:
    driver = await launch("reversed")
    results = await asyncio.gather(*(driver.call("ping", {"n": n}) for n in range(3)))
    assert results == [{"n": 0}, {"n": 1}, {"n": 2}]
    await driver.kill()


async def test_a_call_that_is_cancelled_just_as_its_answer_comes_is_cancelled() -> None:
    """Else Ctrl-C would be lost now and then."""
    driver = await launch("echo")
    call = asyncio.create_task(driver.call("ping"))
    await asyncio.sleep(0)
    (answer,) = driver._pending.values()
    answer.set_result(msgspec.Raw(b"1"))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await driver.kill()


async def test_the_late_answer_to_a_call_that_was_cancelled_is_no_stray_one() -> None:
    driver = await launch("reversed")
    call = asyncio.create_task(driver.call("ping", {"n": 0}))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await asyncio.gather(*(driver.call("ping", {"n": n}) for n in (1, 2))) == [{"n": 1}, {"n": 2}]

    async def read() -> bool | None:
        return driver.broken is not None or not driver._forgotten or None

    assert await poll(read, 10_000)
    assert driver.broken is None
    await driver.kill()


async def test_what_the_port_raised_is_an_outcome_with_a_symbol() -> None:
    with pytest.raises(CallRaised) as caught:
        await ask("raises")
    assert caught.value.problem.symbol == "JobNotExist"


async def test_an_error_without_a_symbol_is_unclassified() -> None:
    with pytest.raises(CallRaised) as caught:
        await ask("raises-nameless")
    assert caught.value.problem.symbol == "unclassified"


async def test_a_flood_on_standard_error_stops_nothing() -> None:
    assert await ask("floods") == "still here"


async def test_a_line_of_megabytes_arrives_whole() -> None:
    assert len(await ask("long-line")) == 5 * 1024 * 1024


async def test_the_driver_may_ask_the_harness() -> None:
    driver = await launch("asks")

    async def handler(method: str, params: msgspec.Raw) -> ProcessorAnswer:
        assert msgspec.json.decode(params, type=ProcessorCall).job == {"id": "1"}
        return ProcessorAnswer(End(returned=method))

    driver.serve(handler, None)
    reply = await driver.call("queue.add")
    assert reply["result"] == {"end": {"return": "processor.call"}}
    await driver.kill()


def ended(pid: int) -> bool:
    """Whether a process has ended, be it that nobody has reaped it yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split()[2] == "Z"


async def test_what_a_driver_started_ends_with_it() -> None:
    driver = await launch("child")
    child = await driver.call("queue.add")
    await driver.close()

    async def gone() -> bool | None:
        return ended(child) or None

    assert await poll(gone, 10_000)


async def test_a_driver_that_ignores_sigterm_is_killed() -> None:
    driver = await launch("ignores-terminate")
    await driver.close()
    assert not driver.process.alive


async def test_the_pool_keeps_a_sound_driver_and_replaces_a_broken_one() -> None:
    pool = Pool(bullmq="5.62.0")
    driver = await pool.take(puppet("echo"))
    await pool.give_back(driver)
    assert await pool.take(puppet("echo")) is driver
    await driver.process.kill()
    await pool.give_back(driver)
    other = await pool.take(puppet("echo"))
    assert other is not driver
    await pool.give_back(other)
    await pool.close()
    assert not other.process.alive
