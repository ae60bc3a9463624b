"""What can go wrong with a driver, in the order in which it can happen."""

from __future__ import annotations

from compat.model.history import Problem


class ImplementationError(Exception):
    """An implementation that cannot be had; the text names it and says what to do."""


class DriverError(Exception):
    """The driver broke the protocol or its process did not hold. `hint` says what its author can do.

    The cell's verdict is `error`, and the process is never used again.
    """

    def __init__(self, text: str, hint: str = "", stderr: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint
        self.stderr = stderr


class NotStarted(DriverError):
    """The command could not be run, or its process ended before it answered `initialize`."""


class Died(DriverError):
    """The process ended while it was needed."""


class Rubbish(DriverError):
    """A line on stdout was not a JSON object of the protocol."""


class Stray(DriverError):
    """An answer came to a call that was not made, or was answered already."""


class Malformed(DriverError):
    """A message is JSON-RPC, but not of the shape that the protocol asks for."""


class Late(DriverError):
    """A call was not answered within its deadline."""


class Undeclared(DriverError):
    """A method or option the driver declares is answered with "not implemented"."""


class CallRaised(Exception):
    """The port raised: an outcome like any other, compared by its symbol."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem
