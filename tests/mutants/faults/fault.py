"""A seeded fault: what a port does wrong, and how it is planted in the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_ABSENT = object()
_planted: list[tuple[Any, str, Any]] = []


@dataclass(frozen=True)
class Fault:
    """`story` says what the port does; `plant` makes the reference do it, in this process, until `uproot`.

    `bug` names where a real port did so: an issue of taskforcesh/bullmq, or a port and its version. `script` is the one
    whose text is changed; "" where the fault lies elsewhere. `places` are the functions that it stands in for, as
    (owner, name): where none of them is called it cannot show. Empty: who knows.
    """

    name: str
    story: str
    plant: Callable[[], None]
    bug: str = ""
    script: str = ""
    places: tuple[tuple[Any, str], ...] = ()


def put(owner: Any, attribute: str, instead: Any) -> None:
    """Let `owner` have another attribute, until `uproot`."""
    _planted.append((owner, attribute, vars(owner).get(attribute, _ABSENT)))
    setattr(owner, attribute, instead)


def uproot() -> None:
    """Undo whatever was planted in this process."""
    while _planted:
        owner, attribute, before = _planted.pop()
        if before is _ABSENT:
            delattr(owner, attribute)
        else:
            setattr(owner, attribute, before)
