"""A driver under a debugger is attached to; a conversation is written down and replayed."""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compat.authoring.skeleton import write

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def listening(tmp_path: Path, python: str) -> Iterator[str]:
    """A skeleton that listens: `attach:HOST:PORT`."""
    write("python", tmp_path / "driver")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [python, str(tmp_path / "driver" / "driver.py"), "--listen", str(port)]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.02)
        yield f"attach:127.0.0.1:{port}"
        process.terminate()


def test_a_driver_that_runs_already_is_attached_to(call: Call, listening: str) -> None:
    code, said = call("driver", "check", listening)
    assert (code, said.splitlines()[-2]) == (0, "6 well, 0 wrong, 13 not offered, 0 not reached"), said
    code, said = call("driver", "check", listening)  # it lives on, and can be met again
    assert code == 0, said


def test_an_address_where_nobody_listens_is_told(call: Call) -> None:
    with socket.socket() as probe:  # bound, and deaf
        probe.bind(("127.0.0.1", 0))
        code, said = call("driver", "check", f"attach:127.0.0.1:{probe.getsockname()[1]}")
    assert code == 1
    assert "no driver listens at 127.0.0.1:" in said and "--listen PORT" in said


def test_a_conversation_is_replayed_to_another_implementation(call: Call, tmp_path: Path) -> None:
    told = tmp_path / "told"
    arguments = ("worker/complete", "--arm", "self", "--topology", "single", "--transcript", str(told))
    code, said = call("run", *arguments)
    assert code == 0, said
    talks = sorted(told.glob("*.jsonl"))
    work = [talk for talk in talks if "processor.call" in talk.read_text()]
    assert len(work) == 2  # the oracle's and the port's
    for talk in work:
        code, said = call("driver", "replay", str(talk), "node@5.62.0")
        assert (code, said.splitlines()[-1]) == (0, "every answer ends as it did"), said


def test_a_replay_shows_what_comes_no_more(call: Call, tmp_path: Path, python: str, root: Path) -> None:
    told = tmp_path / "told.jsonl"
    assert call("driver", "check", "--transcript", str(told), "ref")[0] == 0
    code, said = call("driver", "replay", str(told), "--", python, str(root / "tests/drivers/puppet.py"), "dies")
    assert code == 1
    assert "missing: the driver" in said and "ended" in said  # killed; whether that is known yet is a matter of luck


def test_a_driver_that_does_not_ask_this_time_is_not_answered(
    call: Call, tmp_path: Path, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the arm consume the other side added the job: in a replay nobody does."""
    monkeypatch.setattr("compat.authoring.replay._PATIENCE", 0.2)
    write("python", tmp_path / "driver")
    talk = [
        (">", {"id": 1, "method": "initialize", "params": {"protocol": "bullmq-compat/1", "bullmq": "5.62.0"}}),
        ("<", {"id": 1, "result": {}}),
        ("<", {"id": 7, "method": "processor.call", "params": {"worker": "w", "job": {"id": "1"}}}),
        (">", {"id": 7, "result": {"end": {"return": 1}}}),
        (">", {"id": 2, "method": "ping"}),
        ("<", {"id": 2, "result": None}),
    ]
    told = tmp_path / "told.jsonl"
    told.write_text("".join(json.dumps({"direction": way, "line": line}) + "\n" for way, line in talk))
    code, said = call("driver", "replay", str(told), "--", python, str(tmp_path / "driver" / "driver.py"))
    assert code == 1
    assert said.count("missing: ") == 1 and "1 of the driver's lines" in said, said
