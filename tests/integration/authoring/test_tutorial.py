"""The tutorial's programs do what the tutorial says, error by error."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

Call = Callable[..., tuple[int, str]]
STEPS = ("1_hello", "2_handshake", "3_producer_with_slips", "4_producer")


@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_told_what_the_tutorial_shows(call: Call, python: str, root: Path, step: str) -> None:
    page = (root / "docs" / "tutorial.md").read_text()
    shown = re.search(rf"```console\n\$ bullmq-compat driver check -- python3 {step}\.py\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    _, said = call("driver", "check", "--", python, str(root / "docs" / "tutorial" / f"{step}.py"))
    lines = iter(line.rstrip() for line in said.splitlines())
    for wanted in shown[1].splitlines():
        assert wanted == "…" or wanted in lines, f"{wanted!r} is not said, or not in this order:\n{said}"


def test_a_producer_fits_in_60_lines_and_passes_the_gate(call: Call, python: str, root: Path) -> None:
    program = root / "docs" / "tutorial" / "4_producer.py"
    assert len(program.read_text().splitlines()) <= 60
    cells = ("job/add", "job/order", "job/refused", "delay/add", "priority/bounds", "payload/*")
    code, said = call("run", *cells, "--arm", "produce", "--impl", f"cmd:{python} {program}", "--quiet")
    assert code == 0, said
