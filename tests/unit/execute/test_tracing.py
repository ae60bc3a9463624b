"""A command that MONITOR told becomes a call: scripts by name, KEYS and ARGV apart, packed arguments decoded."""

from __future__ import annotations

import msgpack  # type: ignore[import-untyped]

from compat.execute.tracing import CALLS, Watch, names, script_call
from compat.model.run import ScriptCall
from compat.wire.monitor import Command


def called(*words: bytes) -> ScriptCall:
    return script_call(Command(0.0, "127.0.0.1:1", words), "port", "{p}", 1.5)


def test_a_script_of_bullmq_is_named_and_its_packed_arguments_are_json() -> None:
    sha = next(sha for sha, name in names().items() if name == "addStandardJob")
    packed = msgpack.packb(["{p}:mail:", "ü", 1.5, None])
    call = called(b"EVALSHA", sha.encode(), b"2", b"{p}:mail:wait", b"{p}:mail:id", packed, b"plain", b"")
    assert call == ScriptCall(
        1.5, "port", "addStandardJob", ("<prefix>:mail:wait", "<prefix>:mail:id"),
        ('["<prefix>:mail:", "ü", 1.5, null]', "plain", ""),
    )  # fmt: skip


def test_a_script_that_is_none_of_bullmq_s_is_named_by_its_sum() -> None:
    assert called(b"eval", b"return 1", b"0").script == "e0e1f9fabf"


def test_any_other_command_has_its_name_and_words() -> None:
    assert called(b"hmset", b"{p}:mail:meta", b"\xff\xfe") == ScriptCall(
        1.5, "port", "HMSET", (), ("<prefix>:mail:meta", "\\xff\\xfe")
    )
    assert called(b"evalsha", b"x").script == "EVALSHA"


def test_calls_are_in_order_and_those_past_the_limit_are_counted() -> None:
    watch = Watch()
    watch.sides, watch.prefix = {"u": "port"}, "p"
    watch.seen = [(Command(float(CALLS + 5 - n), "a", (b"GET", b"%d" % n)), "u") for n in range(CALLS + 5)]
    calls, cut = watch.told()
    assert (len(calls), cut, calls[0].at_ms, calls[1].at_ms) == (CALLS, 5, 0.0, 1.0)
