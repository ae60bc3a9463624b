"""The action's step runs the suite as asked, leaves its reports and its summary, and has the run's exit code."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
ACTION = ROOT / "ci" / "action"
NULL = f"cmd:{shlex.join([sys.executable, str(ROOT / 'tests' / 'drivers' / 'null.py')])}"
ONE = "job/add --arm self --topology single --quiet"
TOOL = (sys.executable, "-m", "compat")


@pytest.fixture
def gate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gate", ACTION / "gate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("implementation", "code", "told"), [("node@5.62.0", 0, "✅"), (NULL, 1, "❌")])
def test_it_leaves_reports_a_summary_and_the_exit_code(
    gate: ModuleType, tmp_path: Path, implementation: str, code: int, told: str
) -> None:
    environment = {
        "GATE_IMPL": implementation,
        "GATE_ARGUMENTS": ONE,
        "GATE_KNOWN": str(tmp_path / "there-is-none.yaml"),
        "GATE_REPORTS": str(tmp_path / "reports"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    assert gate.main(environment, (*TOOL, "run"), TOOL) == code
    names = sorted(file.name for file in (tmp_path / "reports").iterdir())
    assert names == ["badge.json", "report.html", "report.md", "run.jsonl", "run.xml"]
    assert (tmp_path / "summary").read_text("utf-8").startswith(f"## {told} ")
    assert f"exit-code={code}\n" in (tmp_path / "output").read_text("utf-8")
    assert json.loads((tmp_path / "reports" / "badge.json").read_text("utf-8"))["schemaVersion"] == 1


def test_an_empty_implementation_is_wrong_usage(gate: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate.main({}) == 64 and "cmd:./driver" in capsys.readouterr().err


def test_the_action_is_a_call_of_the_step_with_every_input_it_reads() -> None:
    text = (ACTION / "action.yml").read_text("utf-8")
    read = set(re.findall(r'"(GATE_\w+)"', (ACTION / "gate.py").read_text("utf-8")))
    assert read == set(re.findall(r"^        (GATE_\w+):", text, re.MULTILINE))
    assert 'python3 "$GITHUB_ACTION_PATH/gate.py"' in text
