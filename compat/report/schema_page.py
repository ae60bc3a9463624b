"""A JSON schema told as a page of Markdown: a section a type, a table of its fields."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]


def page(schema: Schema, command: str) -> str:
    """The page. `command` made it, and is named at its top; methods and error symbols, if any, come last."""
    parts = [
        f"<!-- Made by `{command}`: change the types, not this page. -->",
        f"# {schema['title']}",
        *_told(schema),
    ]
    for name, shape in _ordered(schema):
        parts += [f"## {name}", *_told(shape), *_fields(shape)]
    if methods := schema.get("x-methods"):
        parts += ["## Methods", "Each with its parameters, in Node's order.", "\n".join(_methods(methods))]
    if symbols := schema.get("x-error-symbols"):
        told = "What an error is called, and what Node says; `{}` stands for what differs from call to call."
        parts += ["## Error symbols", told, "\n".join(_table(("symbol", "Node's text"), _symbols(symbols)))]
    return "\n\n".join(parts) + "\n"


def _ordered(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The type that the whole is first, then the others by name."""
    shapes: dict[str, Schema] = dict(schema["$defs"])
    first = str(schema["$ref"]).rpartition("/")[2]
    yield first, shapes.pop(first)
    yield from sorted(shapes.items())


def _told(shape: Schema) -> list[str]:
    described = shape.get("description")
    return [inspect.cleandoc(described)] if described else []


def _fields(shape: Schema) -> list[str]:
    required = shape.get("required", ())
    rows = [
        (f"`{name}`", _type(field), "required" if name in required else _default(field))
        for name, field in shape.get("properties", {}).items()
    ]
    return ["\n".join(_table(("field", "type", "if left out"), rows))] if rows else []


def _type(field: Schema) -> str:
    """A field's type in words, links to other types included."""
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in field:
        return " or ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_type(one) for one in field["anyOf"] if one.get("type") != "null")
    kind = field.get("type", "any value")
    if "prefixItems" in field:
        return f"[{', '.join(_type(one) for one in field['prefixItems'])}]"
    if kind == "array":
        return f"list of {_type(field.get('items', {}))}"
    if kind == "object" and "additionalProperties" in field:
        return f"map to {_type(field['additionalProperties'] or {})}"
    return str(kind)


def _default(field: Schema) -> str:
    default = field.get("default")
    return "" if default is None else f"`{json.dumps(default, ensure_ascii=False)}`"


def _methods(methods: Mapping[str, list[str]]) -> Iterator[str]:
    return (f"- `{name}({', '.join(parameters)})`" for name, parameters in methods.items())


def _symbols(symbols: Mapping[str, str]) -> list[tuple[str, ...]]:
    return [(f"`{symbol}`", text.replace("|", "\\|").replace("\n", " ")) for symbol, text in symbols.items()]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
