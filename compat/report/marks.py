"""Marks: one sign and one colour for each way a cell can come out."""

from __future__ import annotations

from typing import NamedTuple

from rich.text import Text

from compat.model.verdict import Level, Word


class Mark(NamedTuple):
    sign: str
    ascii: str
    style: str
    meaning: str


MARKS: dict[Word, Mark] = {
    "pass": Mark("✓", ".", "green", "pass"),
    "fail": Mark("✗", "X", "bold red", "fail: the port differs from Node"),
    "stale": Mark("≠", "S", "bold magenta", "stale: known.yaml no longer tells the truth"),
    "flaky": Mark("≈", "~", "bold magenta", "flaky: not the same each time"),
    "invalid": Mark("?", "?", "bold yellow", "invalid: the oracle itself misses what is expected"),
    "error": Mark("!", "!", "bold yellow", "error: the cell could not be run"),
    "known": Mark("k", "k", "cyan", "known: differs as known.yaml says"),
    "not-applicable": Mark("-", "-", "dim", "not applicable"),
}

#: From what a reader must see first to what can be left out: the word of a cell that ran several times.
WORST: tuple[Word, ...] = ("error", "invalid", "fail", "stale", "flaky", "known", "pass", "not-applicable")

LEVEL_STYLES: dict[Level, str] = {
    "breaks-peer": "bold red",
    "state": "red",
    "event": "yellow",
    "encoding": "cyan",
    "note": "dim",
}

#: What each level means for those who run the port beside Node.
LEVEL_WORDS: dict[Level, str] = {
    "breaks-peer": "the other side misreads it",
    "state": "what Redis holds differs",
    "event": "the event stream differs",
    "encoding": "the bytes differ, the meaning does not",
    "note": "worth knowing",
}

EXIT_WORDS: dict[int, str] = {
    0: "clean: no difference at or above the gate",
    1: "differences: the port does not leave what Node leaves",
    2: "stale baseline: an entry of known.yaml no longer tells the truth",
    3: "error or invalid: some cells could not be judged",
    64: "usage: the command line is wrong",
    130: "interrupted: what is told here is not all",
    143: "terminated: what is told here is not all",
}


def sign(word: Word, utf8: bool) -> str:
    mark = MARKS[word]
    return mark.sign if utf8 else mark.ascii


def mark(word: Word, utf8: bool = True) -> Text:
    return Text(sign(word, utf8), style=MARKS[word].style)
