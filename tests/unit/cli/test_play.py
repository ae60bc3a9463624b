"""A run is followed to its end; a signal ends it tidily and what was found is kept."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest

from compat.cli.exits import Unfit
from compat.cli.play import Outputs, play
from compat.execute import Unusable
from compat.model.cell import Cell
from compat.model.history import Implementation
from compat.model.run import CellEntry, Footer, Header, Record
from compat.model.verdict import CellVerdict

NODE = Implementation("bullmq", "5.62.0", "JavaScript", "5.62.0")
HEADER = Header("2026-11-24T12:00:00+00:00", "0.1.0", NODE, NODE, {"single": "valkey"}, 1, 2, "event", 1)
CELLS = tuple(CellEntry(CellVerdict(Cell("a/b", arm, "single"), "pass", 3)) for arm in ("self", "consume"))
FOOTER = Footer(1, 2, 6, {"pass": 2}, {}, 1.0, 0.1, 2)


async def entries(*records: Record) -> AsyncIterator[Record]:
    for record in records:
        yield record


def test_the_exit_code_is_the_footer_s_and_the_files_hold_the_run(tmp_path: Path) -> None:
    lines, xml = tmp_path / "run.jsonl", tmp_path / "run.xml"
    run, code = play(entries(HEADER, *CELLS, FOOTER), Outputs(str(lines), str(xml), quiet=True))
    assert run is not None and (code, len(run.verdicts)) == (2, 2)
    assert [json.loads(row)["record"] for row in lines.read_text().splitlines()] == ["header", "cell", "cell", "footer"]
    assert len(list(parse(xml).iter("testcase"))) == 2


def test_json_on_stdout_is_alone_there(capsys: pytest.CaptureFixture[str]) -> None:
    play(entries(HEADER, *CELLS, FOOTER), Outputs("-"))
    out, err = capsys.readouterr()
    assert len([json.loads(row) for row in out.splitlines()]) == 4
    assert "a/b[self,single]" in err


def test_what_cannot_be_used_becomes_an_error_in_words() -> None:
    async def unusable() -> AsyncIterator[Record]:
        raise Unusable("no server", "install one")
        yield HEADER

    with pytest.raises(Unfit, match="no server") as caught:
        play(unusable(), Outputs(quiet=True))
    assert (caught.value.hint, caught.value.exit_code) == ("install one", 3)


_SLOW = """
import asyncio, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may have been started to outlive their terminal
sys.path.insert(0, {folder!r})
from test_play import CELLS, HEADER
from compat.cli.play import Outputs, play
from compat.report.console import print_report

async def entries():
    try:
        yield HEADER
        yield CELLS[0]
        print("ready", flush=True)
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)  # an end that takes its time
        print("closed", flush=True)

outputs = Outputs(quiet=True)
run, code = play(entries(), outputs)
print_report(outputs.console(), run, quiet=True, code=code)
sys.exit(code)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_closes_the_run_and_shows_what_was_found(number: signal.Signals, code: int) -> None:
    program = _SLOW.format(folder=str(Path(__file__).parent))
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, err) == (code, "")
    assert out.startswith("closed\n") and "1 pass" in out and "1 cell of 2 not run" in out
    assert f"exit code {code}" in out
