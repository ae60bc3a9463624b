"""The JSON schema of a scenario file."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from compat.model.scenario import Scenario


def schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of a scenario, with the model's docstrings as descriptions."""
    (reference,), parts = msgspec.json.schema_components([Scenario], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "BullMQ compatibility scenario",
        **reference,
        "$defs": dict(sorted(parts.items())),
    }


def text() -> str:
    """The schema as published: `docs/scenario.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
