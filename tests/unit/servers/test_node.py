"""Slots, and who owns them."""

from __future__ import annotations

import pytest

from compat.servers import Node, slot_of
from compat.servers.node import shares


@pytest.mark.parametrize(
    ("key", "slot"),
    [
        ("123456789", 0x31C3),  # the check value of the Cluster specification
        ("{b}:mail:wait", 3300),
        ("bull:{b}:wait", 3300),
        ("{b}{c}", 3300),
        ("x{b}y}", 3300),
        ("", 0),
    ],
)
def test_a_key_is_placed_by_its_hash_tag(key: str, slot: int) -> None:
    """A key with a tag goes where the tag goes (T016)."""
    assert slot_of(key) == slot


def test_an_empty_or_open_tag_is_no_tag() -> None:
    assert slot_of("{}b") != slot_of("b")
    assert slot_of("{b") != slot_of("b")
    assert len({slot_of("{}a"), slot_of("{}b"), slot_of("{a"), slot_of("{b")}) == 4


def test_a_key_that_is_not_text_has_a_slot() -> None:
    assert slot_of("{b}\udcff") == 3300


def test_three_nodes_share_all_slots_as_redis_cli_would_share_them() -> None:
    assert shares(3) == (((0, 5460),), ((5461, 10922),), ((10923, 16383),))
    assert shares(1) == (((0, 16383),),)


def test_a_node_owns_its_ranges_with_both_ends() -> None:
    node = Node("h", 1, ((0, 5), (10, 10)))
    assert [slot for slot in range(12) if node.owns(slot)] == [0, 1, 2, 3, 4, 5, 10]
    assert str(node) == "h:1"
