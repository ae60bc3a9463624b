"""A line of MONITOR is a command, with every byte as it was sent."""

import pytest

from compat.wire.monitor import parse


@pytest.mark.parametrize(
    ("line", "source", "words"),
    [
        (rb'1.5 [0 127.0.0.1:6379] "GET" "a b"', "127.0.0.1:6379", (b"GET", b"a b")),
        (rb'1.5 [3 lua] "SET" "k" "\x82\xa1a\x01\n\"\\"', "lua", (b"SET", b"k", b'\x82\xa1a\x01\n"\\')),
        (rb'1.5 [0 [::1]:6379] "ECHO" ""', "[::1]:6379", (b"ECHO", b"")),
    ],
)
def test_a_command_has_its_source_and_its_words(line: bytes, source: str, words: tuple[bytes, ...]) -> None:
    command = parse(line)
    assert command is not None
    assert (command.at_ms, command.source, command.words) == (1500.0, source, words)


@pytest.mark.parametrize("line", [b"OK", b"", b"1.5 [0 x]"])
def test_what_is_no_command_is_none(line: bytes) -> None:
    assert parse(line) is None
