"""Values are shown safely, shortly, and so that a difference is in sight."""

import pytest

from compat.protocol.values import UNDEFINED
from compat.report.text import listed, number, pair, printable, shortened, spelled


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain ü 😀", "plain ü 😀"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("one\ntwo\r\t", "one\\ntwo\\r\\t"),
        ("\udcff", "\\xff"),
        ("\ud83d", "\\ud83d"),
        ("a\u2028b\u202ec\ufffe", "a\\u2028b\\u202ec\\ufffe"),
        ("\x85\x9b31m", "\\x85\\x9b31m"),
    ],
)
def test_nothing_that_a_terminal_acts_on_is_shown_raw(raw: str, shown: str) -> None:
    """(T145)"""
    assert printable(raw) == shown


def test_text_is_told_from_a_number_and_from_json_in_text() -> None:
    assert [spelled(v) for v in ("boom", '"boom"', 1, "1", 1.5, None, UNDEFINED, True, {"a": [None]})] == [
        '"boom"', '"\\"boom\\""', "1", '"1"', "1.5", "absent", '"undefined"', "true", '{"a": [null]}',
    ]  # fmt: skip


def test_a_long_value_keeps_both_ends_and_tells_how_much_is_left_out() -> None:
    assert shortened("a" * 100 + "z" * 100, 20) == "a" * 15 + "…(180 more)…" + "z" * 5


def test_the_first_difference_of_long_values_is_in_sight() -> None:
    oracle, port = pair("x" * 5000 + "left", "x" * 5000 + "right", 60)
    assert oracle.endswith('xleft"') and port.endswith('xright"') and len(port) < 70


def test_a_value_that_merely_ends_early_is_told_as_such() -> None:
    oracle, port = pair(list(range(200)), list(range(100)), 60)
    assert "100, 101" in oracle and port.endswith("99]")


def test_what_long_maps_have_in_common_is_left_out() -> None:
    common = {f"field{i}": i for i in range(40)}
    assert pair({"r": {**common, "x": 1}}, {"r": {**common, "y": [2]}}) == (
        '{"r": {"…": "40 equal", "x": 1}}',
        '{"r": {"…": "40 equal", "y": [2]}}',
    )


def test_numbers_carry_their_noun() -> None:
    assert (number(1, "cell"), number(0, "cell"), number(12345, "check")) == ("1 cell", "0 cells", "12,345 checks")


def test_long_lists_end_with_how_many_are_left() -> None:
    assert listed(["a", "b", "c"], 2) == "a, b, 1 more"
