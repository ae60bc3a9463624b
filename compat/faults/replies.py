"""Replies: what Redis says, cut where one reply ends and the next begins, every byte as it was."""

from __future__ import annotations

_TEXTS = b"$!="  # their line tells how many bytes follow
_LISTS = b"*~>"  # … how many replies
_MAPS = b"%|"  # … how many pairs of them


class Replies:
    """Takes chunks as they come, of RESP 2 or 3."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def cut(self, chunk: bytes) -> list[bytes]:
        """The replies that are whole now; the beginning of another is kept."""
        self._rest += chunk
        whole: list[bytes] = []
        start = 0
        while (end := _end(self._rest, start)) is not None:
            whole.append(bytes(self._rest[start:end]))
            start = end
        del self._rest[:start]
        return whole


def _end(data: bytearray, at: int) -> int | None:
    """Where the reply that begins at `at` ends; None if that is still to come."""
    left = 1
    while left:
        line = data.find(b"\r\n", at)
        if line < 0:
            return None
        kind, number = data[at], data[at + 1 : line]
        at = line + 2
        left -= 1
        if kind in _TEXTS and int(number) >= 0:
            at += int(number) + 2
            if at > len(data):
                return None
        elif kind in _LISTS:
            left += max(0, int(number))
        elif kind in _MAPS:
            left += 2 * int(number) + (kind == ord("|"))  # attributes stand before what they are about
    return at
