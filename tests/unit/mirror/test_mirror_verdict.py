"""Two ends of one job: what differs is told, what may differ is not."""

from __future__ import annotations

from typing import Any

import pytest

from compat.mirror.model import End, Pair
from compat.mirror.verdict import Ignored, divergences, duration_class, path_of


def found(production: End, shadow: End, *ignored: str) -> list[tuple[str, str]]:
    pair = Pair("m-1-0", "1", "sum", production)
    return [(d.what, d.path) for d in divergences(pair, shadow, Ignored.of(ignored))]


def done(value: str, **more: Any) -> End:
    return End("completed", value, **more)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1,"b":2}', '{"b":2,"a":1}'),
        ("1.0", "1"),
        ('"\\u00fc"', '"ü"'),
        ("null", "null"),
        ("not json", "not json"),
    ],
)
def test_one_value_in_two_spellings_is_no_divergence(one: str, other: str) -> None:
    assert found(done(one), done(other)) == []


@pytest.mark.parametrize(
    ("one", "other", "path"),
    [
        ('{"a":{"b":[1,2]}}', '{"a":{"b":[1,3]}}', "root['a']['b'][1]"),
        ("1", "true", "root"),
        ("1", '"1"', "root"),
        ('{"a":null}', "{}", "root['a']"),
        ("null", "{", "root"),
    ],
)
def test_a_difference_is_told_with_its_place(one: str, other: str, path: str) -> None:
    assert found(done(one), done(other)) == [("returnvalue", path)]


def test_of_many_differences_in_one_value_the_first_are_told_and_the_rest_counted() -> None:
    told = found(done(str(list(range(9)))), done(str(list(range(10, 19)))))
    assert len(told) == 6
    assert told[-1] == ("returnvalue", "root")


def test_other_outcomes_are_told_alone() -> None:
    assert found(done("1", attempts=1, ms=1), End("failed", "boom", 2, 5_000)) == [("outcome", "")]


def test_reasons_and_attempts_are_compared_where_both_are_known() -> None:
    assert found(End("failed", "a", 1), End("failed", "b", 2)) == [("failedReason", ""), ("attempts", "")]
    assert found(End("failed", "a", None), End("failed", "a", 2)) == []


@pytest.mark.parametrize(("ms", "number"), [(0, 0), (9.9, 0), (10, 1), (100, 2), (1_000, 3), (10_000, 4), (10**7, 4)])
def test_classes_of_durations_are_a_factor_of_ten_wide(ms: float, number: int) -> None:
    assert duration_class(ms) == number


@pytest.mark.parametrize(
    ("one", "other", "told"), [(9, 11, 0), (9, 99, 0), (9, 101, 1), (5_000, 50, 1), (20_000, 900, 1)]
)
def test_neighbouring_classes_are_alike(one: float, other: float, told: int) -> None:
    assert found(done("1", ms=one), done("1", ms=other)) == [("duration", "")] * told


def test_durations_decide_nothing_and_all_else_does() -> None:
    pair = Pair("m-1-0", "1", "sum", done("1", attempts=1, ms=1))
    counts = {d.what: d.counts for d in divergences(pair, done("2", attempts=2, ms=1_000), Ignored())}
    assert counts == {"returnvalue": True, "attempts": True, "duration": False}


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ("root['at']", ["root['items'][0]['id']", "root['items'][1]['id']", "root['n']"]),
        ("root['items']", ["root['at']", "root['n']"]),
        ("root['items'][*]['id']", ["root['at']", "root['n']"]),
        ("root['items'][1]", ["root['at']", "root['items'][0]['id']", "root['n']"]),
        ('root["n"]', ["root['at']", "root['items'][0]['id']", "root['items'][1]['id']"]),
        ("root", []),
        ("returnvalue", []),
    ],
)
def test_ignored_places_are_left_out_with_all_below_them(ignored: str, left: list[str]) -> None:
    one = '{"at":1,"items":[{"id":1},{"id":2}],"n":1}'
    other = '{"at":2,"items":[{"id":3},{"id":4}],"n":2}'
    assert sorted(path for _, path in found(done(one), done(other), ignored)) == left


@pytest.mark.parametrize("word", ["atempts", "root[at]", "root['a'", "['a']", "roots"])
def test_what_cannot_be_ignored_is_refused_with_what_can(word: str) -> None:
    with pytest.raises(ValueError, match="failedReason"):
        Ignored.of((word,))


def test_a_path_that_is_told_can_be_ignored() -> None:
    path = ("items", 3, "id")
    assert Ignored.of((path_of(path),)).place(path)
