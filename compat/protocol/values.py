"""Values that JSON cannot hold, tagged: what a scenario writes and a driver answers with."""

from __future__ import annotations

import base64
import math
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


def decode(value: Any) -> Any:
    """Untag `value`: `{"$undefined": true}`, `{"$number": "NaN"}`, `{"$int": "…"}`, `{"$bytes": "base64"}` and
    `{"$utf16": "d83d 0061"}` (UTF-16 code units in hex, for text with lone surrogates) become what they stand for."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (tag, content), *_ = value.items()
        match tag:
            case "$undefined":
                return UNDEFINED
            case "$number":
                return _NUMBERS[content]
            case "$int":
                return int(content)
            case "$bytes":
                return base64.b64decode(content)
            case "$utf16":
                units = b"".join(int(unit, 16).to_bytes(2, "big") for unit in content.split())
                return units.decode("utf-16-be", "surrogatepass")
            case _:
                pass
    return {key: decode(item) for key, item in value.items()}
