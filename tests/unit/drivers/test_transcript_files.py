"""A transcript holds what was said, without passwords, and is read back as it was written."""

import json
from pathlib import Path

import pytest

from compat.drivers.transcript import Line, Recorder, read


def test_what_is_noted_is_read_back(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "talk.jsonl")
    recorder.note(">", b'{"id": 1, "method": "ping"}')
    recorder.note("<", "naïve".encode())
    recorder.close()
    assert list(read(tmp_path / "talk.jsonl")) == [Line(">", {"id": 1, "method": "ping"}), Line("<", "naïve")]


def test_passwords_are_left_out(tmp_path: Path) -> None:
    begin = {"method": "scenario.begin", "params": {"redis": {"username": "p1", "password": "s3cret"}}}
    recorder = Recorder(tmp_path / "talk.jsonl")
    recorder.note(">", json.dumps(begin).encode())
    recorder.close()
    assert "s3cret" not in (tmp_path / "talk.jsonl").read_text()


@pytest.mark.parametrize("text", ["not json", "{}", '{"direction": "^", "line": 1}', "[1]"])
def test_what_is_no_transcript_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "talk.jsonl"
    file.write_text('{"direction": ">", "line": 1}\n' + text + "\n")
    with pytest.raises(ValueError, match=r"talk\.jsonl:2 is no line of a transcript"):
        list(read(file))
