"""The key grammar, the slots and the scores of BullMQ."""

import pytest

from compat.wire.events import event_codec
from compat.wire.fields import FIELDS, Codec
from compat.wire.keys import Address, parse, slot
from compat.wire.scores import due, priority


@pytest.mark.parametrize(
    ("rest", "address"),
    [
        ("wait", Address("mail", "wait")),
        ("stalled-check", Address("mail", "stalled-check")),
        ("metrics:failed:data", Address("mail", "metrics:failed:data")),
        ("de:a:b", Address("mail", "de", "a:b")),
        ("17", Address("mail", "job", "17")),
        ("17:lock", Address("mail", "job", "17", "lock")),
        ("17:failed", Address("mail", "job", "17", "failed")),
        ("a:b:c", Address("mail", "job", "a:b:c")),
        ("a:b:c:logs", Address("mail", "job", "a:b:c", "logs")),
        ("repeat", Address("mail", "repeat")),
        ("repeat:s", Address("mail", "repeat", "s")),
        ("repeat:s:1795500000000", Address("mail", "job", "repeat:s:1795500000000")),
        ("repeat:s:1795500000000:lock", Address("mail", "job", "repeat:s:1795500000000", "lock")),
        ("17:locks", None),
        ("a:b", None),
        ("", None),
    ],
)
def test_a_key_has_one_address_or_is_nobodys(rest: str, address: Address | None) -> None:
    """T016."""
    assert parse("{p}:x", f"{{p}}:x:mail:{rest}") == address


def test_a_key_of_another_prefix_is_nobodys() -> None:
    assert parse("bull", "bulls:mail:wait") is None


def test_slots_are_those_of_redis_cluster() -> None:
    """T017: the reference values are those of CLUSTER KEYSLOT."""
    assert slot("123456789") == 0x31C3
    assert slot("{user1000}.following") == slot("{user1000}.followers") == slot("user1000")
    assert slot("foo{}{bar}") != slot("bar")
    assert slot("foo{{bar}}zap") == slot("{bar")


def test_scores_come_apart_into_what_they_were_made_of() -> None:
    """T036."""
    assert due(1_795_500_000_000 * 4096 + 7) == (1_795_500_000_000, 7)
    assert priority(3 * 2**32 + 12) == (3, 12)
    assert priority(-2 * 2**32 + 1) == (-2, 1)


def test_a_failed_reason_is_raw_wherever_it_is_written() -> None:
    """T116: no field is read by two codecs."""
    assert FIELDS["failedReason"] is event_codec("failed", "failedReason") is Codec.RAW
    assert FIELDS["returnvalue"] is event_codec("completed", "returnvalue") is Codec.CLIENT_JSON
