"""Replies are cut where they end, in whatever chunks they come."""

from __future__ import annotations

import pytest

from compat.faults.replies import Replies

REPLIES = [
    b"+OK\r\n",
    b"-MOVED 3999 127.0.0.1:6381\r\n",
    b":1000\r\n",
    b"$5\r\nhe\r\no\r\n",
    b"$0\r\n\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"*2\r\n*2\r\n:1\r\n$1\r\na\r\n+b\r\n",
    b"_\r\n",
    b"#t\r\n",
    b",1.5\r\n",
    b"(12345678901234567890\r\n",
    b"!5\r\nERR a\r\n",
    b"=5\r\ntxt:a\r\n",
    b"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n",
    b"~1\r\n+a\r\n",
    b">2\r\n+invalidate\r\n*1\r\n+k\r\n",
    b"|1\r\n+ttl\r\n:3\r\n$1\r\na\r\n",
]


@pytest.mark.parametrize("reply", REPLIES)
def test_each_kind_of_reply_is_told_from_the_next(reply: bytes) -> None:
    assert Replies().cut(reply + b"+next\r\n") == [reply, b"+next\r\n"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_chunks_may_end_anywhere(size: int) -> None:
    replies, everything = Replies(), b"".join(REPLIES)
    chunks = [everything[at : at + size] for at in range(0, len(everything), size)]
    assert [reply for chunk in chunks for reply in replies.cut(chunk)] == REPLIES
