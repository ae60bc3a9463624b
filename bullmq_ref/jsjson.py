"""JSON as JavaScript writes and reads it: BullMQ stores its clients' JSON byte for byte."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final


class Undefined:
    """JavaScript's `undefined`: an absent value, told apart from None (`null`)."""

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()

_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")
_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,9})\Z")
_quote = json.encoder.encode_basestring  # raw UTF-8; escapes exactly what JavaScript escapes, surrogates aside
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_DEEP = 20_000  # levels of nesting that are read and written; V8 gives up near 7,000


def dumps(value: Any) -> str:
    """`JSON.stringify(value)`: no spaces, raw UTF-8, `1.0` as `1`, `-0` as `0`, NaN and infinities as `null`, keys
    that are array indexes first and ascending, lone surrogates as `\\udXXX`. Integers print every digit.

    Raises TypeError for what JavaScript cannot serialise either (`undefined` itself, bytes, a cycle).
    """
    if isinstance(value, Undefined):
        raise TypeError("undefined has no JSON: pass None for null")
    try:
        text = _compact(value) if _is_simple(value) else "".join(_write(value))
    except RecursionError:
        with _deep():
            try:
                text = "".join(_write(value))
            except RecursionError:
                raise TypeError("Converting circular structure to JSON") from None
    return _SURROGATES.sub(_escape, text) if _has_surrogates(text) else text


def loads(text: str) -> Any:
    """`JSON.parse(text)`. Integers stay exact. Raises ValueError for anything else, `NaN` included."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        with _deep():
            return json.loads(text, parse_constant=_refuse)


def number(value: float) -> str:
    """`String(value)` of a finite number."""
    if isinstance(value, int):
        return str(int(value))
    if value == 0:
        return "0"
    digits = repr(value)
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(digits), "f").removesuffix(".0")
    mantissa, _, exponent = digits.partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def utf8(text: str) -> bytes:
    """The bytes Node sends for a string: UTF-8, each lone surrogate as U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def key(value: Any) -> str:
    """The property name JavaScript makes of a key."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return (
            number(value) if math.isfinite(value) else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
        )
    raise TypeError(f"A key must be text or a number, not {type(value).__name__}")


def _is_simple(value: Any) -> bool:
    """Whether the C encoder writes `value` as JavaScript does (for certain)."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return True
    if kind is list:
        return all(map(_is_simple, value))
    if kind is dict:
        return all(type(k) is str and not k[:1].isdigit() and _is_simple(v) for k, v in value.items())
    return False


def _write(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield _quote(value)
    elif value is None or isinstance(value, Undefined):
        yield "null"
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, int | float):
        yield number(value) if isinstance(value, int) or math.isfinite(value) else "null"
    elif isinstance(value, Mapping):
        yield _object({key(k): v for k, v in value.items()})
    elif isinstance(value, list | tuple):
        yield f"[{','.join([part for item in value for part in _write(item)])}]"
    elif isinstance(value, datetime):
        yield f'"{value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")}.{value.microsecond // 1000:03d}Z"'
    else:
        raise TypeError(f"{type(value).__name__} has no JSON: convert it to text, numbers, lists or mappings first")


def _object(fields: dict[str, Any]) -> str:
    indexes = sorted((k for k in fields if _INDEX.match(k) and int(k) < 2**32 - 1), key=int)
    names = [*indexes, *(k for k in fields if k not in set(indexes))] if indexes else list(fields)
    members = (f"{_quote(k)}:{''.join(_write(fields[k]))}" for k in names if not isinstance(fields[k], Undefined))
    return f"{{{','.join(members)}}}"


def _has_surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _escape(found: re.Match[str]) -> str:
    units = found[0]
    if len(units) == 2:
        return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    return f"\\u{ord(units):04x}"


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


@contextmanager
def _deep() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 4 * _DEEP)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
