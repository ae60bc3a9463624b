"""Local events: what an object of this library tells those who listen in the same process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bullmq_ref.log import Log

Listener = Callable[..., object]


class Emitter:
    """Listeners by event name, called in the order in which they were added. A listener must not block."""

    def __init__(self) -> None:
        self._listeners: dict[str, tuple[Listener, ...]] = {}  # never changed while they are called
        self.log = Log(None)

    def on(self, event: str, listener: Listener) -> None:
        """Call `listener` with each `event`'s arguments from now on."""
        self._listeners[event] = (*self._listeners.get(event, ()), listener)

    def once(self, event: str, listener: Listener) -> None:
        """Call `listener` with the next `event`'s arguments, and then no more."""

        def called(*arguments: Any) -> object:
            self.off(event, listener)
            return listener(*arguments)

        called.listener = listener  # type: ignore[attr-defined]
        self.on(event, called)

    def off(self, event: str, listener: Listener) -> None:
        """Stop calling `listener`; no matter if it was not called."""
        listeners = self._listeners.get(event, ())
        for at, kept in enumerate(listeners):
            if listener in (kept, getattr(kept, "listener", None)):
                if len(listeners) > 1:
                    self._listeners[event] = listeners[:at] + listeners[at + 1 :]
                else:
                    del self._listeners[event]  # readers have events of each job that is waited for
                return

    def emit(self, event: str, *arguments: Any) -> None:
        """Tell. A listener that raises is told of as an `error` event; an error nobody listens to is logged."""
        listeners = self._listeners.get(event, ())
        if event == "error" and not listeners:
            self.log.error("%s", *arguments)
        for listener in listeners:
            try:
                listener(*arguments)
            except Exception as error:
                if event == "error":
                    self.log.exception("a listener of `error` raised")
                else:
                    self.emit("error", error)
