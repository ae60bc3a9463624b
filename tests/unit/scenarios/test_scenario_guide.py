"""The guide's example is a scenario, and the guide names every field of the format."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec import structs

from compat.model import facts, program, scenario, steps
from compat.scenarios import load_text

GUIDE = (Path(__file__).parents[3] / "docs/scenarios.md").read_text("utf-8")


def test_the_guides_example_is_a_scenario() -> None:
    (example,) = re.findall(r"```yaml\n(schema: 1\n.*?)```", GUIDE, re.DOTALL)
    assert load_text(example, "docs/scenarios.md").id == "guide/fixed-backoff"


@pytest.mark.parametrize(
    "struct",
    [
        scenario.Scenario,
        steps.Step,
        steps.Until,
        program.Rule,
        program.Action,
        program.End,
        program.Match,
        facts.Fact,
        steps.Strike,
        facts.Loss,
        facts.Quirk,
    ],
)
def test_the_guide_names_every_field(struct: type) -> None:
    missing = [
        field.encode_name
        for field in structs.fields(struct)
        if not re.search(rf"\b{re.escape(field.encode_name)}\b", GUIDE)
    ]
    assert missing == []
