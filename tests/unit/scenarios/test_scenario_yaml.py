"""YAML becomes data that knows its lines."""

from __future__ import annotations

import pytest

from compat.scenarios import ScenarioError
from compat.scenarios.yaml import parse


def refusal(text: str) -> ScenarioError:
    with pytest.raises(ScenarioError) as raised:
        parse(text, "s.yaml")
    return raised.value


def test_on_yes_and_no_are_text_as_yaml_1_2_has_it() -> None:
    assert parse("on: yes\noff: no\nreally: true", "s.yaml").value == {"on": "yes", "off": "no", "really": True}


def test_scalars_become_what_they_look_like() -> None:
    text = 'i: 12\nf: 0.5\nb: false\nn: null\nt: "12"\nu: "\\u2028\\0"'
    assert parse(text, "s.yaml").value == {"i": 12, "f": 0.5, "b": False, "n": None, "t": "12", "u": "\u2028\0"}


def test_each_place_knows_its_line() -> None:
    source = parse("a:\n  - x: 1\n  - y:\n      z: 2\n", "s.yaml")
    assert source.line(("a",)) == 1
    assert source.line(("a", 0, "x")) == 2
    assert source.line(("a", 1, "y", "z")) == 4


def test_a_place_that_was_not_written_has_the_line_of_what_is_around_it() -> None:
    assert parse("a: 1\nb:\n  c: 2\n", "s.yaml").line(("b", "missing", 3)) == 2


def test_a_key_written_twice_is_refused_with_both_lines() -> None:
    error = refusal("a: 1\nb:\n  c: 1\n  c: 2\n")
    assert (error.file, error.line) == ("s.yaml", 4)
    assert "twice, first in line 3" in error.message


def test_a_key_that_is_no_text_is_refused() -> None:
    assert "write it in quotes" in refusal("a: {1: x}").message


def test_a_date_is_refused_rather_than_guessed() -> None:
    error = refusal("a: 1\nb: 2001-12-14\n")
    assert error.line == 2 and "timestamp" in error.message


def test_numbers_and_words_are_those_of_yaml_1_2() -> None:
    text = "a: [010, 0x1F, 0o17, +2, .5, 1e3, 1_000, 12:30, ~, NULL, True, y, Off]"
    assert parse(text, "s.yaml").value == {
        "a": [10, 31, 15, 2, 0.5, 1000.0, "1_000", "12:30", None, None, True, "y", "Off"]
    }


@pytest.mark.parametrize("text", ["!!int x", "!!float 1.2.3", "!!binary aGk=", "!mine x"])
def test_a_tag_that_is_wrong_or_unknown_is_refused_with_its_line(text: str) -> None:
    assert refusal(f"a: 1\nb: {text}").line == 2


def test_half_a_surrogate_pair_is_refused_with_a_way_out() -> None:
    assert "$utf16" in refusal('a: "\\ud83d"').message


@pytest.mark.parametrize("text", ["a: [1, 2", "a: b: c", "\t- x", 'a: "\\q"', "a: &x 1\nb: *y"])
def test_broken_yaml_is_refused_with_a_line_and_no_traceback(text: str) -> None:
    error = refusal(text)
    assert error.line >= 1 and "not YAML" in error.message


def test_an_empty_file_says_how_a_scenario_starts() -> None:
    assert "schema: 1" in refusal("").message


def test_text_and_items_are_repeated_as_often_as_asked() -> None:
    assert parse('a: {$text: "x€", $times: 3}\nb: {$item: {n: 1}, $times: 2}', "s.yaml").value == {
        "a": "x€x€x€",
        "b": [{"n": 1}, {"n": 1}],
    }


@pytest.mark.parametrize(
    "text",
    [
        "{$times: 3}",
        "{$text: 1, $times: 3}",
        "{$text: x, $times: 0}",
        "{$text: x, $times: true}",
        "{$text: x, $item: x, $times: 2}",
    ],
)
def test_a_repetition_that_makes_no_sense_is_refused_with_its_line(text: str) -> None:
    error = refusal(f"a: 1\nb: {text}")
    assert error.line == 2 and "$times" in error.message


@pytest.mark.parametrize("levels", [900, 20_000])
def test_nesting_without_end_is_refused_and_no_traceback(levels: int) -> None:
    assert "nest" in refusal("a: " + "[" * levels + "]" * levels).message
