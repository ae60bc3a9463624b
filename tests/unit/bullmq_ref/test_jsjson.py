"""JSON as JavaScript writes it (T145)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from bullmq_ref.jsjson import UNDEFINED, dumps, loads, number, utf8


class Odd(float):
    """A float that shows itself otherwise, as NumPy's do."""

    def __repr__(self) -> str:
        return f"Odd({float(self)})"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, "x", None, True]}, '{"a":[1,"x",null,true]}'),
        (1.0, "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (1e-7, "1e-7"),
        (0.00001, "0.00001"),
        (123456789012345680000.0, "123456789012345680000"),
        (2**53 + 1, "9007199254740993"),
        ([math.nan, math.inf, -math.inf], "[null,null,null]"),
        ("é\u2028\U0001f600\x7f", '"é\u2028\U0001f600\x7f"'),
        ('\x00\x1f\n"\\/', '"\\u0000\\u001f\\n\\"\\\\/"'),
        ("\ud83da", '"\\ud83da"'),
        ("\ud83d\ude00", '"\U0001f600"'),
        ({"b": 1, "10": 2, "2": 3, "02": 4}, '{"2":3,"10":2,"b":1,"02":4}'),
        ({"a": UNDEFINED, "b": [UNDEFINED]}, '{"b":[null]}'),
        ({1: "x", False: "y", None: "z", 1.5: "w"}, '{"1":"x","false":"y","null":"z","1.5":"w"}'),
        (datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), '"2026-01-02T03:04:05.678Z"'),
        (datetime(999, 1, 2, tzinfo=UTC), '"0999-01-02T00:00:00.000Z"'),
        ({Odd(0.5): Odd(1.5)}, '{"0.5":1.5}'),
        ((), "[]"),
    ],
)
def test_values_are_written_as_javascript_does(value: Any, text: str) -> None:
    assert dumps(value) == text


@pytest.mark.parametrize("value", [UNDEFINED, b"x", object(), {(1, 2): 3}])
def test_what_javascript_cannot_write_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        dumps(value)


def test_a_cycle_is_refused_as_javascript_does() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(TypeError, match="circular structure"):
        dumps(cycle)


def test_deep_nesting_is_written_and_read() -> None:
    deep: Any = 1.0
    for _ in range(5000):
        deep = [deep]
    text = dumps(deep)
    assert text == "[" * 5000 + "1" + "]" * 5000
    assert dumps(loads(text)) == text


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{'a':1}", ""])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


def test_integers_are_read_exactly() -> None:
    assert loads("9007199254740993") == 2**53 + 1


def test_numbers_as_javascript_shows_them() -> None:
    assert [number(n) for n in (0.697, 5, 0.001, 1.7976931348623157e308, math.inf, -math.inf, math.nan)] == [
        "0.697",
        "5",
        "0.001",
        "1.7976931348623157e+308",
        "Infinity",
        "-Infinity",
        "NaN",
    ]


def test_lone_surrogates_go_out_as_replacement_characters() -> None:
    assert utf8("a\ud83db") == "a\ufffdb".encode()
    assert utf8("\ud83d\ude00") == "\U0001f600".encode()
