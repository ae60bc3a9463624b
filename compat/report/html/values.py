"""Two values side by side, laid out in lines, with the lines that differ marked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from compat.protocol.values import Undefined
from compat.report.html.markup import Markup, el, joined
from compat.report.text import number, shortened

LINES = 60  # of one value
WIDTH = 400  # characters of a line
_WIDE = 60  # characters up to which a map or list stays on one line
_SHORT = 20  # lines that are shown whole
_AROUND = 3  # equal lines kept around those that differ


def sides(oracle: Any, port: Any) -> Markup:
    """The oracle's value and the port's; None is absent."""
    left, right = laid_out(oracle), laid_out(_ordered(port, oracle))
    marked = ([False] * len(left), [False] * len(right))
    for tag, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag != "equal":
            marked[0][a:b] = [True] * (b - a)
            marked[1][c:d] = [True] * (d - c)
    return el(
        "div",
        _side("oracle", left, marked[0], oracle is None),
        _side("port", right, marked[1], port is None),
        class_="sides",
    )


def _ordered(value: Any, like: Any) -> Any:
    """`value` with the keys of its maps in the order of `like`: theirs means nothing, and equal lines shall meet."""
    if isinstance(value, dict) and isinstance(like, dict):
        keys = [*(key for key in like if key in value), *(key for key in value if key not in like)]
        return {key: _ordered(value[key], like.get(key)) for key in keys}
    if isinstance(value, list) and isinstance(like, list):
        return [_ordered(item, like[n] if n < len(like) else None) for n, item in enumerate(value)]
    return value


def _side(name: str, lines: Sequence[str], marked: Sequence[bool], absent: bool) -> Markup:
    body = el("span", "absent", class_="absent") if absent else joined(*_rows(lines, marked))
    return el("div", el("b", name), el("pre", body), class_=f"side {name}")


def _rows(lines: Sequence[str], marked: Sequence[bool]) -> list[Markup]:
    """The lines, those far from any difference left out."""
    near = [any(marked[max(0, n - _AROUND) : n + _AROUND + 1]) for n in range(len(lines))]
    if len(lines) <= _SHORT or not any(marked):
        near = [True] * len(lines)
    rows: list[Markup] = []
    skipped = 0
    for line, mark, keep in zip(lines, marked, near, strict=True):
        if not keep:
            skipped += 1
            continue
        if skipped:
            rows.append(_skip(skipped, "equal line"))
            skipped = 0
        if len(rows) >= LINES:
            rows.append(_skip(len(lines) - LINES, "more line"))
            return rows
        rows.append(el("span", shortened(line, WIDTH), class_="mark" if mark else "same"))
    if skipped:
        rows.append(_skip(skipped, "equal line"))
    return rows


def _skip(count: int, words: str) -> Markup:
    return el("span", f"⋯ {number(count, words)}", class_="skip")


def laid_out(value: Any, indent: str = "") -> list[str]:
    """A value as JSON in lines: what is short stays on one line, so that a stream has one line an event."""
    short = _spelled(value)
    if len(short) <= _WIDE and not (indent == "" and isinstance(value, (list, tuple)) and len(value) > 1):
        return [indent + short]
    if isinstance(value, dict) and value and (len(short) > WIDTH or indent == ""):
        return [f"{indent}{{", *_items([(f"{_spelled(str(k))}: ", v) for k, v in value.items()], indent), f"{indent}}}"]
    if isinstance(value, (list, tuple)) and value:
        return [f"{indent}[", *_items([("", item) for item in value], indent), f"{indent}]"]
    return [indent + short]


def _items(items: list[tuple[str, Any]], indent: str) -> list[str]:
    lines: list[str] = []
    for position, (key, item) in enumerate(items, 1):
        first, *rest = laid_out(item, indent + "  ")
        lines += [indent + "  " + key + first.lstrip(" "), *rest]
        if position < len(items):
            lines[-1] += ","
    return lines


def _spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_other)


def _other(value: Any) -> Any:
    return "undefined" if isinstance(value, Undefined) else repr(value)
