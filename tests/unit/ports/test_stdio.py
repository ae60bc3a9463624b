"""The driver's half of the protocol on stdin and stdout, spoken to as the harness does."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from typing import Any

import pytest

from compat.ports import stdio

ECHO = """
import asyncio
from compat.ports.stdio import Answer, Stdio, decode

async def main():
    async def echo(params):
        return decode(params["value"])
    async def ask(params):
        return decode(await peer.call("processor.call", {"worker": "w"}))
    async def refuse(params):
        raise Answer("Missing key for job 7. x", symbol="JobNotExist")
    async def crash(params):
        print("a stray print")
        raise ValueError("unexpected")
    async def shutdown(params):
        peer.notify("worker.event", {"on": "w", "event": "closed"})
        peer.stop()
        return {}
    methods = {"echo": echo, "ask": ask, "refuse": refuse, "crash": crash, "shutdown": shutdown}
    peer = Stdio(methods, lambda error: Answer(str(error), -32002))
    await peer.run()

asyncio.run(main())
"""

TAGGED: list[Any] = [
    {"$undefined": True},
    {"$number": "Infinity"},
    {"$number": "-Infinity"},
    {"$number": "NaN"},
    {"$number": "-0"},
    {"$int": "9007199254740993"},
    {"$bytes": "AAE="},
    {"$utf16": "d83d 0061"},
    {"a": [1, 1.5, True, None, "é\u2028"]},
]


def test_what_json_cannot_hold_survives_both_ways() -> None:
    for value in TAGGED:
        assert stdio.encode(stdio.decode(value)) == value


def test_whole_floats_are_written_as_integers() -> None:
    assert json.dumps(stdio.encode([1.0, math.pi, 1e300])) == f"[1, {math.pi}, 1e+300]"


async def talk(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send `lines` and return all that came back; a `processor.call` is answered with 42."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ECHO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for line in lines:
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **line}).encode() + b"\n")
    answers: list[dict[str, Any]] = []
    while len([a for a in answers if "method" not in a]) < len(lines):
        answer = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
        answers.append(answer)
        if answer.get("method") == "processor.call":
            process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": answer["id"], "result": 42}).encode() + b"\n")
    process.stdin.write(b'{"jsonrpc":"2.0","id":99,"method":"shutdown"}\n')
    rest, _ = await asyncio.wait_for(process.communicate(), 10)
    return answers + [json.loads(line) for line in rest.splitlines()]


async def test_requests_are_answered_and_the_harness_is_asked() -> None:
    answers = await talk(
        [
            {"id": 1, "method": "ask"},
            {"id": 2, "method": "echo", "params": {"value": TAGGED}},
            {"id": 3, "method": "refuse"},
            {"id": 4, "method": "nothing"},
            {"id": 5, "method": "crash"},
        ]
    )
    by_id = {a["id"]: a for a in answers if "id" in a and "method" not in a}
    assert by_id[1]["result"] == 42
    assert by_id[2]["result"] == TAGGED
    assert by_id[3]["error"]["data"] == {"bullmq": "JobNotExist", "message": "Missing key for job 7. x"}
    assert by_id[4]["error"]["code"] == stdio.NOT_IMPLEMENTED
    assert by_id[5]["error"]["code"] == stdio.DRIVER
    assert [a["method"] for a in answers if "method" in a] == ["processor.call", "worker.event"]
    assert by_id[99]["result"] == {}


@pytest.mark.parametrize("text", ["", "plain", "\U0001f600"])
def test_ordinary_text_is_not_tagged(text: str) -> None:
    assert stdio.encode(text) == text
