"""Trouble: what stops a cell, as an exception that carries the history's `Failure`."""

from __future__ import annotations

from typing import Literal

from compat.drivers.errors import DriverError
from compat.model.cell import Side
from compat.model.history import Failure

Kind = Literal["late", "refused", "unmatched", "unsupported", "protocol", "environment"]


class Unusable(Exception):
    """The whole run cannot take place: no server, no driver. The text is for people; `hint` says what to do."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class Trouble(Exception):
    """One cell cannot go on."""

    def __init__(
        self,
        kind: Kind,
        text: str,
        *,
        side: Side | None = None,
        hint: str = "",
        stderr: tuple[str, ...] = (),
    ) -> None:
        super().__init__(text)
        self.kind: Kind = kind
        self.text = text
        self.side = side
        self.hint = hint
        self.stderr = stderr

    @classmethod
    def of(cls, error: DriverError, side: Side) -> Trouble:
        return cls("protocol", error.text, side=side, hint=error.hint, stderr=error.stderr)

    def failure(self, step: int) -> Failure:
        return Failure(self.kind, step, self.text, self.side, self.hint, self.stderr)
