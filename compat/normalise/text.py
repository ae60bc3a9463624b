"""Texts in Redis, read by their codec: JSON stays JSON, and what is no JSON stays visible."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

from compat.protocol.values import Undefined, deeper_than

_EXACT = 2**53  # beyond, JavaScript sees the double next to a whole number
_DIGITS = 400  # of a whole number that is read as one; Python reads no more than 4,300
_DEEPEST = 100  # levels of nesting that are compared as values; deeper texts are compared as texts

Rename = Callable[[str], str]


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def json_text(text: str, rename: Rename, *, by_client: bool) -> Any:
    """The value of a JSON text, its strings renamed; `<not JSON: …>` when it is none.

    `by_client`: as JavaScript reads it, for which `1.0` is 1 and 2^53 + 1 is 2^53; the bytes of such texts are compared
    besides. What a script wrote is compared parsed only, so there all numbers stay apart. `-0` is told from `0` always.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return f"<not JSON: {rename(text)}>"
    if deeper_than(value, _DEEPEST):
        return f"<JSON nested deeper than {_DEEPEST} levels: {rename(text)}>"
    return walk(value, rename, fold=by_client)


def walk(value: Any, rename: Rename, *, fold: bool) -> Any:
    """`value` with its strings (and keys) renamed; with `fold`, numbers as JavaScript sees them."""
    match value:
        case str():
            return rename(value)
        case list() | tuple():
            return [walk(item, rename, fold=fold) for item in value]
        case dict():
            return {rename(str(key)): walk(item, rename, fold=fold) for key, item in value.items()}
        case float():
            if value == 0 and math.copysign(1, value) < 0:
                return "<number -0>"
            if not math.isfinite(value):
                return f"<number {value}>"
            return int(value) if fold and value.is_integer() and abs(value) <= _EXACT else value
        case int() if fold and abs(value) > _EXACT:
            return _double(value)
        case bytes():
            return f"<bytes {value.hex()}>"
        case Undefined():
            return None
        case _:
            return value


def _double(value: int) -> float | str:
    try:
        return float(value)
    except OverflowError:
        return "<number inf>" if value > 0 else "<number -inf>"


def number(text: str) -> int | str:
    """An integer in its one decimal spelling; any other text as it stands."""
    digits = text[1:] if text.startswith("-") else text
    whole = digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS
    if whole and (digits == "0" or digits[0] != "0") and text != "-0":
        return int(text)
    return text
