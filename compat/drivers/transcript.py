"""A transcript: what a driver and the harness said to each other, line by line, to be read and replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TextIO

from msgspec import Struct

Direction = Literal[">", "<"]  # to the driver, from it


class Line(Struct, frozen=True):
    """One line of a conversation. `line` is what was said, as JSON; rubbish is a text."""

    direction: Direction
    line: Any


class Recorder:
    """Writes a transcript as the conversation goes on. Passwords are left out."""

    def __init__(self, file: Path) -> None:
        self._file: TextIO = file.open("w", encoding="utf-8")

    def note(self, direction: Direction, raw: bytes) -> None:
        try:
            said = json.loads(raw)
        except ValueError:
            said = raw.decode("utf-8", "replace").rstrip("\n")
        if isinstance(said, dict) and said.get("method") == "scenario.begin":
            said["params"]["redis"].pop("password", None)
        self._file.write(json.dumps({"direction": direction, "line": said}, ensure_ascii=True) + "\n")
        self._file.flush()  # a driver that hangs is what transcripts are for

    def close(self) -> None:
        self._file.close()


def read(file: Path) -> Iterator[Line]:
    """The lines of a transcript. Raises ValueError, naming the line, when it is none."""
    with file.open(encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
            try:
                found = json.loads(text)
                yield Line({">": ">", "<": "<"}[found["direction"]], found["line"])  # type: ignore[arg-type]
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{file}:{number} is no line of a transcript ({error!r}): expected "
                    '{"direction": ">" or "<", "line": …} as `run --transcript` writes it'
                ) from None
