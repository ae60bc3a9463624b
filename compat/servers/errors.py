"""The error that tells why a server cannot be had or used."""

from __future__ import annotations


class ServerError(Exception):
    """A server cannot be started, reached or used. Holds no password.

    `seen` is what happened, `expected` what should have, `remedy` what the reader can do about it.
    """

    def __init__(self, seen: str, *, expected: str, remedy: str) -> None:
        super().__init__(f"{seen}\n  expected: {expected}\n  to do: {remedy}")
        self.seen = seen
        self.expected = expected
        self.remedy = remedy
