"""JSON as JavaScript writes and reads it: BullMQ stores its clients' JSON byte for byte."""

from __future__ import annotations

import contextlib
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from json import scanner
from typing import Any, Final


class Undefined:
    """JavaScript's `undefined`: an absent value, told apart from None (`null`)."""

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()
"""Data that was not given. Node stores `{}` for it."""

_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")
_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,9})\Z")
_quote = json.encoder.encode_basestring  # raw UTF-8; escapes exactly what JavaScript escapes, surrogates aside
_encode_parts = json.encoder.c_make_encoder(  # type: ignore[attr-defined]  # what JSONEncoder makes for each value anew
    None, None, _quote, None, ":", ",", False, False, False
)
_SCALARS: Final = frozenset({str, int, bool, type(None)})
_DEEP = 7_000  # levels of nesting that are read; V8 gives up near there when it writes


def dumps(value: Any) -> str:
    """`JSON.stringify(value)`: no spaces, raw UTF-8, `1.0` as `1`, `-0` as `0`, NaN and infinities as `null`, keys
    that are array indexes first and ascending, lone surrogates as `\\udXXX`. Integers print every digit.

    Raises TypeError for what JavaScript cannot serialise either (`undefined` itself, bytes, a cycle).
    """
    if value is None:
        return "null"
    if isinstance(value, Undefined):
        raise TypeError("undefined has no JSON: pass None for null")
    try:
        text = "".join(_encode_parts(value, 0)) if _is_simple(value) else _write(value)
    except RecursionError:
        text = _write(value)
    return _SURROGATES.sub(_escape, text) if _has_surrogates(text) else text


def loads(text: str) -> Any:
    """`JSON.parse(text)`. Integers stay exact. Raises ValueError for anything else, `NaN` included."""
    try:
        value, end = _scan(text, 0)
        return value if end == len(text) else _decode(text)
    except StopIteration:
        return _decode(text)  # there is white space around it, or an error
    except RecursionError:
        return _read_deep(text)


def _read_deep(text: str) -> Any:
    for decode, frames in ((_decode, 1), (_patient, 2)):
        with _deep(frames * _DEEP), contextlib.suppress(RecursionError):
            return decode(text)
    raise ValueError(f"JSON is nested deeper than {_DEEP} levels")


def number(value: float) -> str:
    """`String(value)` of a number."""
    if isinstance(value, int):
        return str(int(value))
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    digits = float.__repr__(value)  # what inherits from float, as NumPy's do, may show itself otherwise
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(digits), "f").removesuffix(".0")
    mantissa, _, exponent = digits.partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def epoch_ms(date: datetime) -> int:
    """`Number(date)`: whole ms since the epoch, exactly. Without a zone it is the machine's time."""
    return int(date.replace(microsecond=0).timestamp()) * 1000 + date.microsecond // 1000


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
        return number(value)
    raise TypeError(f"A key must be text or a number, not {type(value).__name__}")


def property_order(names: Iterable[str]) -> list[str]:
    """The order in which JavaScript lists an object's properties: array indexes first, ascending."""
    listed = list(names)
    indexes = sorted((name for name in listed if _INDEX.match(name) and int(name) < 2**32 - 1), key=int)
    first = set(indexes)
    return [*indexes, *(name for name in listed if name not in first)]


def _is_simple(value: Any) -> bool:
    """Whether the C encoder writes `value` as JavaScript does (for certain)."""
    kind = type(value)
    if kind is dict:
        for name, member in value.items():  # a loop, not `all`: every payload comes through here
            if type(name) is not str or name[:1].isdigit() or not (type(member) in _SCALARS or _is_simple(member)):
                return False
        return True
    if kind is list:
        return all(map(_is_simple, value))
    return kind in _SCALARS


@dataclass(frozen=True, slots=True)
class _Text:
    """Text that is to be written as it is; `end_of` is the container that it closes."""

    text: str
    end_of: int = 0


def _write(root: Any) -> str:
    """Any value, however deep: what is still to be written stands on a stack."""
    out: list[str] = []
    todo: list[Any] = [root]
    within: set[int] = set()
    while todo:
        value = todo.pop()
        if isinstance(value, _Text):
            out.append(value.text)
            within.discard(value.end_of)
        elif isinstance(value, Mapping | list | tuple):
            if id(value) in within:
                raise TypeError("Converting circular structure to JSON")
            within.add(id(value))
            opening, parts, closing = _members(value) if isinstance(value, Mapping) else _items(value)
            out.append(opening)
            todo.append(_Text(closing, id(value)))
            todo.extend(reversed(parts))
        else:
            out.append(_scalar(value))
    return "".join(out)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _quote(value)
    if value is None or isinstance(value, Undefined):
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value) if isinstance(value, int) or math.isfinite(value) else "null"
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        return f'"{moment.replace(tzinfo=None).isoformat(timespec="milliseconds")}Z"'
    raise TypeError(f"{type(value).__name__} has no JSON: convert it to text, numbers, lists or mappings first")


def _items(values: Sequence[Any]) -> tuple[str, list[Any], str]:
    parts: list[Any] = []
    for value in values:
        parts.extend((_Text(","), value) if parts else (value,))
    return "[", parts, "]"


def _members(value: Mapping[Any, Any]) -> tuple[str, list[Any], str]:
    fields = {key(k): v for k, v in value.items() if not isinstance(v, Undefined)}
    parts: list[Any] = []
    for name in property_order(fields):
        parts += [_Text(f"{',' if parts else ''}{_quote(name)}:"), fields[name]]
    return "{", parts, "}"


def _has_surrogates(text: str) -> bool:
    if text.isascii():
        return False
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


_decoder = json.JSONDecoder(parse_constant=_refuse)
_decode = _decoder.decode
_scan: Any = _decoder.scan_once  # type: ignore[attr-defined]  # `decode` without the white space


def _patient(text: str) -> Any:
    """Read without C, two frames a level: the C of some Pythons (3.12.1) bears less depth than is asked for."""
    decoder = json.JSONDecoder(parse_constant=_refuse)
    decoder.scan_once = scanner.py_make_scanner(decoder)  # type: ignore[attr-defined]
    return decoder.decode(text)


@contextlib.contextmanager
def _deep(frames: int) -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + frames)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
