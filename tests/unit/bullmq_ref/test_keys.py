"""A queue's keys and their slot (T016, T017)."""

from __future__ import annotations

import pytest

from bullmq_ref.errors import Invalid
from bullmq_ref.keys import Keys, slot


def test_keys_are_prefix_queue_suffix() -> None:
    keys = Keys("mail")
    assert keys.base == "bull:mail:"
    assert keys.wait == "bull:mail:wait"
    assert keys.waiting_children == "bull:mail:waiting-children"
    assert keys.stalled_check == "bull:mail:stalled-check"
    assert keys.job("7") == "bull:mail:7"
    assert keys.job("7", "lock") == "bull:mail:7:lock"
    assert keys.deduplication("d") == "bull:mail:de:d"
    assert keys.metrics("failed") == "bull:mail:metrics:failed"


def test_names_of_connections_are_base64() -> None:
    assert Keys("q1").client_name(":w:nm") == "bull:cTE=:w:nm"
    assert Keys("ü", "{x}").client_name() == "{x}:w7w="


@pytest.mark.parametrize(("name", "symbol"), [("", "QueueNameMissing"), ("a:b", "QueueNameColon")])
def test_bad_names_are_refused(name: str, symbol: str) -> None:
    with pytest.raises(Invalid) as raised:
        Keys(name)
    assert raised.value.symbol == symbol


def test_a_tag_in_prefix_or_name_holds_all_keys_in_one_slot() -> None:
    """(T017)"""
    assert Keys("mail", "{b}").slot == slot("{b}") == 3300
    assert Keys("{mail}").slot == slot("{mail}:anything")
    assert Keys("mail").slot is None
    assert Keys("{}mail").slot is None
