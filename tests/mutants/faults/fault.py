"""A seeded fault: what a port does wrong, and how it is planted in the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_ABSENT = object()
_planted: list[tuple[Any, str, Any]] = []


@dataclass(frozen=True)
class Place:
    """A function where a fault can show: when it is called so that `when` holds; with `raises`, when it then raises."""

    owner: Any
    name: str
    when: Callable[..., object] = lambda *_, **__: True
    raises: bool = False


@dataclass(frozen=True)
class Fault:
    """`story` says what the port does; `plant` makes the reference do it, in this process, until `uproot`.

    `bug` names where a real port did so: an issue of taskforcesh/bullmq, or a port and its version. `script` is the one
    whose text is changed; "" where the fault lies elsewhere. Where a sound port comes to none of the `places` it cannot
    show; without any, who knows. `late`: the port is late, and that is all, so that only a timed scenario sees it.
    """

    name: str
    story: str
    plant: Callable[[], None]
    bug: str = ""
    script: str = ""
    places: tuple[Place, ...] = ()
    late: bool = False


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
