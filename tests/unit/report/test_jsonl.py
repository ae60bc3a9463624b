"""A record is written line by line and read back as it was, or refused in words."""

import json
import math

import pytest

from compat.model.cell import Cell
from compat.model.run import CellEntry, Header, Record
from compat.model.verdict import CellVerdict, Difference
from compat.protocol.messages import Capabilities, Welcome
from compat.protocol.values import UNDEFINED
from compat.report.jsonl import RecordError, decode, encode, read


def lines(records: tuple[Record, ...]) -> list[str]:
    return [encode(record) + "\n" for record in records]


def test_what_was_written_is_read_back(records: tuple[Record, ...]) -> None:
    assert read(lines(records)) == records


def test_each_line_is_one_json_object_that_names_its_kind(records: tuple[Record, ...]) -> None:
    kinds = [json.loads(line)["record"] for line in lines(records)]
    assert kinds == ["header", *["cell"] * 10, "footer"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (math.nan, {"$number": "NaN"}),
        ([-math.inf, -0.0], [{"$number": "-Infinity"}, {"$number": "-0"}]),
        (UNDEFINED, {"$undefined": True}),
        (2**53 + 1, {"$int": "9007199254740993"}),
        (b"\x00\xff", {"$bytes": "AP8="}),
        ({"a": ("x", None, True)}, {"a": ["x", None, True]}),
    ],
)
def test_what_json_cannot_hold_is_tagged(value: object, written: object) -> None:
    """(T145)"""
    difference = Difference("a/b#end/x", "state", "q", value, None, "words")
    entry = json.loads(encode(CellEntry(CellVerdict(Cell("a/b", "self", "single"), "fail", 1, (difference,)))))
    assert entry["verdict"]["differences"][0]["oracle"] == written


@pytest.mark.parametrize("text", ["\udcff\udc80", "\ud83d", "\x00\x1b\x7f", "a\u2028b\x85c\r\n", "😀", '"\\'])
def test_any_text_keeps_its_characters_and_its_one_line(text: str) -> None:
    """(T145)"""
    entry = CellEntry(CellVerdict(Cell("a/b", "self", "single"), "error", reason=text))
    line = encode(entry)
    assert "\n" not in line and line.encode("utf-8")
    assert decode(line) == entry


def test_a_driver_s_capabilities_are_no_part_of_the_record(records: tuple[Record, ...]) -> None:
    header = records[0]
    assert isinstance(header, Header)
    welcome = Welcome("gopherq", "0.3.1", "Go", "5.62.0", capabilities=Capabilities(clock=True))
    full = Header(**{n: getattr(header, n) for n in header.__struct_fields__} | {"port": welcome})
    assert "capabilities" not in encode(full)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda rows: [], "run.jsonl is empty"),
        (lambda rows: rows[1:], "run.jsonl:1: expected one header, then cells, then a footer; saw a cell first"),
        (lambda rows: [rows[0], *rows], "run.jsonl:2: expected one header, then cells, then a footer; saw a second"),
        (lambda rows: rows[:4], "run.jsonl ends after 3 of 10 cells, without a footer"),
        (lambda rows: [*rows[:3], *rows[4:]], "run.jsonl holds 9 cells where its footer counts 10"),
        (lambda rows: [*rows, rows[1]], "run.jsonl:13: expected nothing after the footer; saw a cell"),
        (lambda rows: [*rows[:3], rows[3][:50]], "run.jsonl:4: .*the file was cut off within this line"),
        (lambda rows: ['{"type":"module"}\n'], "run.jsonl:1: expected a record of a run, saw .*module"),
        (lambda rows: ["[" * 100_000], "run.jsonl:1: expected a record of a run, saw"),
        (lambda rows: ["<xml>\x1b</xml>\n"], r"saw '<xml>\\\\x1b</xml>'"),
    ],
)
def test_a_file_that_is_cut_off_or_foreign_is_refused_in_words(records, spoil, complaint) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RecordError, match=complaint):
        read(spoil(lines(records)), "run.jsonl")


def test_a_record_cut_between_lines_is_read_when_asked_for(records: tuple[Record, ...]) -> None:
    assert read(lines(records)[:4], whole=False) == records[:4]
