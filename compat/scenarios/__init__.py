"""YAML files become scenarios: read, converted, checked, chosen."""

from __future__ import annotations

from compat.scenarios.complaint import Complaint, ScenarioError
from compat.scenarios.lint import lint
from compat.scenarios.load import load, load_text, pick
from compat.scenarios.schema import schema
from compat.scenarios.select import NoSuchScenario, everyday, select

__all__ = [
    "Complaint",
    "NoSuchScenario",
    "ScenarioError",
    "everyday",
    "lint",
    "load",
    "load_text",
    "pick",
    "schema",
    "select",
]
