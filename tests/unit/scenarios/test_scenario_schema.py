"""The published JSON schema is the model's."""

from __future__ import annotations

from pathlib import Path

from compat.scenarios import schema
from compat.scenarios.schema import text

PUBLISHED = Path(__file__).parents[3] / "docs/scenario.schema.json"


def test_the_published_schema_is_current() -> None:
    assert PUBLISHED.read_text("utf-8") == text(), "run: bullmq-compat schema > docs/scenario.schema.json"


def test_the_schema_describes_every_struct() -> None:
    parts = schema()["$defs"]
    assert {"Scenario", "Step", "Until", "Fact", "Rule"} <= set(parts)
    assert "a fact to wait for" in parts["Until"]["description"].lower()
