"""Markup: elements built in Python, in which every text is escaped."""

from __future__ import annotations

from html import escape
from typing import Any

from compat.report.text import printable

#: What elements hold: text is escaped, markup is not; None is nothing.
Child = Any

_VOID = frozenset({"input", "meta", "br", "wbr", "col"})


class Markup(str):
    """Text that is HTML already. Only `el`, `joined` and the page's own files make it."""

    __slots__ = ()


def el(tag: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """An element. `class_` and `for_` lose their underscore, other underscores become dashes; None and False are left
    out, True is the attribute alone."""
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{joined(*children)}</{tag}>")


def joined(*children: Child) -> Markup:
    """One piece of markup of many; lists and iterators are gone through."""
    return Markup("".join(map(_child, children)))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return str(child)
    if isinstance(child, str):
        return text(child)
    if isinstance(child, (int, float)):
        return escape(f"{child:,}")
    return "".join(map(_child, child))


def text(value: str) -> Markup:
    """Text as it is shown: escaped for HTML, lines kept, no control character and no half of a character left."""
    return Markup("\n".join(escape(printable(line)) for line in value.split("\n")))


def _attribute(name: str, value: str | int | bool | None) -> str:
    key = name.rstrip("_").replace("_", "-")
    return f" {key}" if value is True else f' {key}="{escape(printable(str(value)), quote=True)}"'
