"""What a type checker says of code that uses the library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_payloads_and_results_are_typed_throughout() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "tests/typing/usage.py"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (run.stdout, run.returncode) == ("", 0), run.stderr
