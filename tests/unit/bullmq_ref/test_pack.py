"""MessagePack as the scripts read it."""

from __future__ import annotations

from datetime import UTC, datetime

from bullmq_ref.jsjson import UNDEFINED
from bullmq_ref.pack import pack


def test_text_is_raw_and_never_binary() -> None:
    assert pack(["é", "x" * 40]) == b"\x92\xa2\xc3\xa9\xda\x00\x28" + b"x" * 40


def test_undefined_vanishes_from_maps_and_is_nil_in_lists() -> None:
    assert pack({"a": UNDEFINED, "b": [UNDEFINED, None]}) == b"\x81\xa1b\x92\xc0\xc0"


def test_keys_are_text() -> None:
    assert pack({1: True}) == b"\x81\xa11\xc3"


def test_dates_become_milliseconds_and_huge_integers_doubles() -> None:
    assert pack(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == b"\xcd\x03\xe8"
    assert pack(datetime(2039, 3, 8, 19, 46, 13, 411_000, tzinfo=UTC)) == pack(2_183_226_373_411)
    assert pack(2**70)[:1] == b"\xcb"


def test_lone_surrogates_as_node_packs_them() -> None:
    assert pack("\ud83d") == b"\xa3\xed\xa0\xbd"
    assert pack("\ud83d" + "x" * 70)[3:6] == "\ufffd".encode()
