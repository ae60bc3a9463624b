"""`bullmq-compat run` with real Redis, Node and drivers: verdicts, files, exit codes, and nothing left behind."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest

from compat.model.run import Footer, Header
from compat.report.collected import collected
from compat.report.jsonl import read

ROOT = Path(__file__).parents[3]
RUN = (sys.executable, "-m", "compat", "run")
NODE = ("--impl", "node@5.62.0")
NULL = ("--impl", f"cmd:{shlex.join([sys.executable, str(ROOT / 'tests' / 'drivers' / 'null.py')])}")
ONE = ("job/add", "--arm", "self", "--topology", "single")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *words], capture_output=True, text=True, timeout=120)


def test_node_against_itself_is_clean_and_the_record_is_whole() -> None:
    done = run(*ONE, *NODE, "--json", "-")
    assert done.returncode == 0, done.stdout + done.stderr
    whole = collected(read(done.stdout.splitlines(keepends=True)))
    assert whole is not None and [verdict.word for verdict in whole.verdicts] == ["pass"]
    assert isinstance(whole.header, Header) and whole.header.port.version == "5.62.0"
    assert isinstance(whole.footer, Footer) and whole.footer.checks > 5
    assert "exit code 0" in done.stderr


def test_a_driver_that_does_nothing_fails_with_differences_in_words(tmp_path: Path) -> None:
    done = run(*ONE, *NULL, "--junit", str(tmp_path / "run.xml"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Differences" in done.stdout and "look closer: bullmq-compat run --impl 'cmd:" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("exit code 1, differences")
    (suite,) = parse(tmp_path / "run.xml").iter("testsuite")
    failed = {case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None}
    assert suite.get("name") == "job/add[self,single]" and "end/job" in failed, failed


def test_a_driver_is_started_in_the_callers_folder_and_nothing_there_is_in_the_way(tmp_path: Path) -> None:
    mine, odd = tmp_path / "mine", tmp_path / "odd"
    mine.mkdir()
    shutil.copy(ROOT / "docs" / "tutorial" / "4_producer.py", mine / "mine.py")
    (odd / "compat").mkdir(parents=True)
    (odd / "redis.py").write_text("raise ImportError('this is not redis-py')\n")
    python = shlex.quote(sys.executable)
    for folder, *words in (
        (mine, "--arm", "produce", "--impl", f"cmd:{python} mine.py"),
        (odd, "--arm", "self", "--impl", "ref"),
    ):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "compat", "run", "job/add", "--topology", "single", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "pass" in done.stdout


def test_every_cell_runs_as_often_as_asked_for() -> None:
    done = run(*ONE, *NODE, "--repeat", "3", "--json", "-", "--quiet")
    whole = collected(read(done.stdout.splitlines(keepends=True)))
    assert whole is not None and [verdict.word for verdict in whole.verdicts] == ["pass"] * 3


def test_a_driver_that_cannot_be_started_exits_3_in_words() -> None:
    done = run(*ONE, "--impl", "cmd:/no/such/driver")
    assert done.returncode == 3
    assert "/no/such/driver" in done.stderr and "Traceback" not in done.stderr


def processes(mark: str) -> list[str]:
    """Command lines of all processes with `mark` in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_shows_what_it_found_and_leaves_no_process(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    mark, record = uuid.uuid4().hex, tmp_path / "run.jsonl"
    words = (*RUN, *ONE, *NODE, "--repeat", "1000", "--json", str(record), "--quiet")
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"COMPAT_TEST_MARK": mark}
    ) as process:
        deadline = time.monotonic() + 60
        while not (record.exists() and record.read_text().count("\n") > 3):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        assert len(processes(mark)) > 2
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, ""), out
    assert "not run" in out and f"exit code {code}" in out
    assert processes(mark) == []
    assert json.loads(record.read_text().splitlines()[-1])["record"] == "cell"
