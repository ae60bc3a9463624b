"""DeepDiff: where exactly two canonical values differ. The only module that imports it."""

from __future__ import annotations

from typing import Any

from deepdiff import DeepDiff
from msgspec import Struct

from compat.compare.spelled import spelled


class Inner(Struct, frozen=True):
    """A difference within a value: the path to it, and what stands there (None: nothing)."""

    path: tuple[str | int, ...]
    oracle: str | None
    port: str | None


def inner(oracle: Any, port: Any) -> tuple[Inner, ...]:
    """All differences between two values, in the order of the oracle's; empty when they are the same."""
    one, other = spelled(oracle), spelled(port)
    if one == other:
        return ()
    diff = DeepDiff(one, other, view="tree", verbose_level=2, threshold_to_diff_deeper=0)
    found = [
        Inner(tuple(level.path(output_format="list")), _text(level.t1), _text(level.t2))
        for levels in diff.values()
        for level in levels
    ]
    return tuple(sorted(found, key=lambda item: [(isinstance(p, str), str(p).zfill(6)) for p in item.path]))


def _text(side: Any) -> str | None:
    if str(side) == "not present":
        return None
    return _plain(side)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_plain(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return str(value)
