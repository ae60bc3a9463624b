"""Values that JSON cannot hold, tagged: what a scenario writes and a driver answers with."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any, Final


class Undefined:
    """JavaScript's `undefined`: an absent value, told apart from `null`."""

    _instance: Undefined | None = None

    def __new__(cls) -> Undefined:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()

_NUMBERS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}
_EXACT: Final = 2**53  # integers beyond it are rounded by most readers of JSON


def decode(value: Any) -> Any:
    """Untag `value`: `{"$undefined": true}`, `{"$number": "NaN"}`, `{"$int": "…"}`, `{"$bytes": "base64"}` and
    `{"$utf16": "d83d 0061"}` (UTF-16 code units in hex, for text with lone surrogates) become what they stand for.

    Raises `ValueError` for a tag whose content stands for nothing."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (tag, content), *_ = value.items()
        if tag in _TAGS:
            try:
                return _TAGS[tag](content)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                raise ValueError(f"`{tag}` of {str(content)[:40]!r} stands for no value") from None
    return {key: decode(item) for key, item in value.items()}


def _utf16(content: str) -> str:
    units = b"".join(int(unit, 16).to_bytes(2, "big") for unit in content.split())
    return units.decode("utf-16-be", "surrogatepass")


_TAGS: Final[dict[str, Callable[[Any], Any]]] = {
    "$undefined": lambda _: UNDEFINED,
    "$number": lambda content: _NUMBERS[content],
    "$int": int,
    "$bytes": lambda content: base64.b64decode(content, validate=True),
    "$utf16": _utf16,
}


def deeper_than(value: Any, limit: int) -> bool:
    """Whether lists and maps are nested in `value` on more levels than these."""
    level = [value]
    for _ in range(limit):
        level = [
            item
            for holder in level
            if isinstance(holder, (dict, list))
            for item in (holder.values() if isinstance(holder, dict) else holder)
        ]
        if not level:
            return False
    return True


def encode(value: Any) -> Any:
    """Tag `value`, so that JSON can hold it and `decode` gives it back; what nothing stands for becomes its `repr`."""
    match value:
        case dict():
            return {str(key): encode(item) for key, item in value.items()}
        case list() | tuple():
            return [encode(item) for item in value]
        case bytes():
            return {"$bytes": base64.b64encode(value).decode()}
        case Undefined():
            return {"$undefined": True}
        case float() if not math.isfinite(value):
            return {"$number": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
        case float() if value == 0 and math.copysign(1, value) < 0:
            return {"$number": "-0"}
        case int() if abs(value) > _EXACT:
            return {"$int": str(value)}
        case None | str() | bool() | int() | float():
            return value
        case _:
            return repr(value)
