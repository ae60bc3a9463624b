"""Values as text that is safe to show: on one line, printable, of bounded length."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from compat.protocol.values import Undefined

LIMIT = 100  # characters of a value
_LEAD = 24  # characters kept before the first difference of two long values

#: C0 and C1 controls, line and paragraph separators, marks that turn the writing direction, halves of surrogate pairs,
#: and what XML 1.0 has no place for: a terminal or a parser would act on them, or refuse them.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """`text` with every character escaped that is not to be shown raw; `\\xNN` is a byte that is not UTF-8."""
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the byte itself
        return f"\\x{code - 0xDC00:02x}"
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def spelled(value: Any) -> str:
    """A canonical value as JSON writes it (text in quotes), safe to show; None stands for absent and says so."""
    if value is None:
        return "absent"
    return printable(json.dumps(value, ensure_ascii=False, default=_other))


def _other(value: Any) -> Any:
    return "undefined" if isinstance(value, Undefined) else repr(value)


def shortened(text: str, limit: int = LIMIT) -> str:
    """`text`, its middle left out where it is longer than `limit` characters; the number left out is told."""
    if len(text) <= limit:
        return text
    tail = limit // 4
    head = limit - tail
    return f"{text[:head]}…({len(text) - head - tail} more)…{text[-tail:]}"


def pair(oracle: Any, port: Any, limit: int = LIMIT) -> tuple[str, str]:
    """Both values, spelled, and cut so that their first difference is in sight.

    Where one is too long, what maps have in common is left out first: `{"…": "3 equal", "delay": 5}`.
    """
    left, right = spelled(oracle), spelled(port)
    if max(len(left), len(right)) > limit:
        left, right = map(spelled, _apart(oracle, port))
    if max(len(left), len(right)) <= limit:
        return left, right
    same = sum(1 for _ in takewhile(lambda chars: chars[0] == chars[1], zip(left, right, strict=False)))
    start = max(0, same - _LEAD)
    return _from(left, start, limit), _from(right, start, limit)


def _apart(left: Any, right: Any) -> tuple[Any, Any]:
    """Both without the entries that are equal in both, at any depth of maps."""
    if not (isinstance(left, dict) and isinstance(right, dict)):
        return left, right
    equal = {key for key in left.keys() & right.keys() if spelled(left[key]) == spelled(right[key])}
    ours, theirs = ({key: value for key, value in side.items() if key not in equal} for side in (left, right))
    for key in ours.keys() & theirs.keys():
        ours[key], theirs[key] = _apart(ours[key], theirs[key])
    rest = {"…": f"{len(equal)} equal"} if equal else {}
    return rest | ours, rest | theirs


def _from(text: str, start: int, limit: int) -> str:
    cut = text[start:]
    return ("…" if start and cut else "") + (shortened(cut, limit) if cut else f"… (ends after {len(text)} characters)")


def number(count: int, noun: str) -> str:
    """`1 cell`, `1,204 cells`, `2 checks`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listed(words: Sequence[str], most: int = 6) -> str:
    """Words with commas; past `most` only their number."""
    shown = list(words[:most])
    if len(words) > most:
        shown.append(f"{len(words) - most} more")
    return ", ".join(shown)
