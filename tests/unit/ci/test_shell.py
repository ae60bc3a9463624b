"""Commands of the set-up explain their failures."""

import os
import threading
from pathlib import Path

import pytest

from ci.process import SetUpError, Shell, redacted, tail


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "logs", os.environ)


def test_a_failure_tells_step_command_exit_code_last_lines_and_what_to_do(shell: Shell, tmp_path: Path) -> None:
    words = ["sh", "-c", "seq 100; echo 'no such package' >&2; exit 7"]
    with pytest.raises(SetUpError) as caught:
        shell.run("npm packages", words, tmp_path, "check the network.")
    told = str(caught.value)
    assert "set-up failed at: npm packages" in told
    assert "sh -c" in told
    assert "exit code 7" in told
    assert "no such package" in told
    assert "What to do: check the network." in told
    assert len(told.splitlines()) < 30
    assert "\n1\n" in (tmp_path / "logs" / "npm-packages.log").read_text()


def test_a_command_that_does_not_exist_is_a_failure_too(shell: Shell, tmp_path: Path) -> None:
    with pytest.raises(SetUpError, match="No such file"):
        shell.run("uv", [tmp_path / "uv"], tmp_path, "…")


def test_logins_in_addresses_are_not_shown(shell: Shell, tmp_path: Path) -> None:
    assert redacted("GET https://me:s3cret@index.example/simple") == "GET https://***@index.example/simple"
    with pytest.raises(SetUpError) as caught:
        shell.run("uv", ["sh", "-c", "echo http://u:s3cret@h/; exit 1"], tmp_path, "…")
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in (tmp_path / "logs" / "uv.log").read_text()


def test_the_tail_leaves_out_empty_lines() -> None:
    assert tail("a\n\nb\n  \nc\n", lines=2) == "b\nc"


def test_stopping_ends_what_runs_and_lets_nothing_start(shell: Shell, tmp_path: Path) -> None:
    codes: list[int] = []
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    thread = threading.Thread(
        target=lambda: codes.append(shell.attempt(["sh", "-c", f"echo > {fifo}; exec sleep 60"], tmp_path)[0])
    )
    thread.start()
    fifo.read_text()  # now it runs
    shell.stop()
    thread.join(30)
    assert codes == [-15]
    assert shell.attempt(["true"], tmp_path)[0] != 0
