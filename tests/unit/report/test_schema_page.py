"""The reference pages of the documentation are made from the types."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.cli.schemas import protocol
from compat.report.schema_page import page
from compat.scenarios import schema

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize("what", ["scenario", "protocol"])
def test_the_committed_page_is_what_the_types_say_today(what: str) -> None:
    command = f"bullmq-compat schema {what} --markdown"
    made = page(schema() if what == "scenario" else protocol(), command)
    file = DOCS / f"{what}-reference.md"
    assert file.read_text("utf-8") == made, f"run: .venv/bin/{command} > docs/{file.name}"


def test_a_type_becomes_a_section_with_its_fields() -> None:
    shape = {
        "title": "A thing",
        "$ref": "#/$defs/Thing",
        "$defs": {
            "Part": {"type": "object", "properties": {"n": {"type": "integer", "default": 3}}},
            "Thing": {
                "description": "What it is.\n\n    And more.",
                "type": "object",
                "properties": {
                    "kind": {"enum": ["a", "b"]},
                    "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
                    "names": {
                        "anyOf": [{"type": "object", "additionalProperties": {"type": "string"}}, {"type": "null"}]
                    },
                    "pair": {"type": "array", "prefixItems": [{"type": "string"}, {}], "items": False},
                },
                "required": ["kind"],
            },
        },
        "x-methods": {"queue.add": ["name", "data"]},
        "x-error-symbols": {"Missing": "no {} | gone"},
    }
    text = page(shape, "make it")
    assert text.index("## Thing") < text.index("## Part")
    for line in (
        "What it is.\n\nAnd more.",
        '| `kind` | `"a"` or `"b"` | required |',
        "| `parts` | list of [Part](#part) |  |",
        "| `names` | map to string |  |",
        "| `pair` | [string, any value] |  |",
        "| `n` | integer | `3` |",
        "- `queue.add(name, data)`",
        "| `Missing` | no {} \\| gone |",
    ):
        assert line in text
