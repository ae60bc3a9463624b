"""MONITOR: what one of its lines says of a command."""

from __future__ import annotations

import re

from msgspec import Struct

_LINE = re.compile(rb"^(\d+\.\d+) \[(\d+) (\S+)\] (.*)$", re.DOTALL)
_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_SHORT = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}


class Command(Struct, frozen=True):
    """`at_ms` is the server's clock; `source` the client's address, or `lua` for what a script did."""

    at_ms: float
    source: str
    words: tuple[bytes, ...]


def parse(line: bytes) -> Command | None:
    """None for what is no command, as the first `OK`."""
    found = _LINE.match(line)
    if found is None:
        return None
    words = tuple(_ESCAPE.sub(_unescaped, word[1]) for word in _WORD.finditer(found[4]))
    return Command(float(found[1]) * 1000, found[3].decode("ascii", "replace"), words) if words else None


def _unescaped(match: re.Match[bytes]) -> bytes:
    kind = match[1]
    return bytes([int(kind[1:], 16)]) if len(kind) == 3 else _SHORT.get(kind, kind)
