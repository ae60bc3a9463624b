"""What a build adds to the sources: BullMQ's scripts, checked by sum, and what the harness needs beside its Python."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: What the harness reads and runs that is no Python: where it lies here, and where in the wheel.
HARNESS = {
    "scenarios": "compat/_suite",
    "node/driver.mjs": "compat/_node/driver.mjs",
    "node/chaos.mjs": "compat/_node/chaos.mjs",
    "node/bench.mjs": "compat/_node/bench.mjs",
    "node/lib": "compat/_node/lib",
    "node/.npmrc": "compat/_node/.npmrc",
    "LIMITS.md": "compat/LIMITS.md",
    "node/package.json": "compat/_node/package.json",
    "node/package-lock.json": "compat/_node/package-lock.json",
    "node/versions": "compat/_node/versions",
}


class ScriptsMissing(Exception):
    """The scripts are not there, or are others than the library was written for: nothing may be built then."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Run by hatchling before a wheel or an sdist is written. An editable install needs none of it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        scripts(root)
        if self.target_name == "wheel":
            build_data["force_include"].update({str(root / here): there for here, there in HARNESS.items()})


def scripts(root: Path) -> None:
    """See that `bullmq_ref/_lua` holds BullMQ's scripts: taken anew from the npm package where that is installed, else
    (in an sdist) as they came. Raises ScriptsMissing with what to do."""
    lua = _lua(root)
    try:
        if lua.DEFAULT_PACKAGE.is_dir():
            lua.install()
        for name in lua.manifest():
            lua.load(name)
    except lua.LuaError as error:
        raise ScriptsMissing(
            f"{error}\nA build contains BullMQ's scripts, which are not in the repository. Run `python3 ci setup` in "
            "the checkout (or `npm ci` in node/, then `python -m bullmq_ref.lua`), then build again."
        ) from None


def _lua(root: Path) -> ModuleType:
    """`bullmq_ref.lua` by its file: the library's dependencies are not there while it is built."""
    spec = importlib.util.spec_from_file_location("_bullmq_ref_lua", root / "bullmq_ref" / "lua.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
