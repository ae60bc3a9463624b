"""The action's one step: run the suite, make the reports, show the summary, leave with the run's exit code."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USAGE = 64


def words(environment: Mapping[str, str], reports: Path) -> list[str]:
    """The arguments of `bullmq-compat run`. Raises ValueError for what no shell could read, or no implementation."""
    implementation = environment.get("GATE_IMPL", "").strip()
    if not implementation:
        raise ValueError("the input `impl` is empty; name the port, as in cmd:./driver")
    known = environment.get("GATE_KNOWN", "")
    return [
        *shlex.split(environment.get("GATE_ARGUMENTS", "")),
        *("--impl", implementation),
        *(("--known", known) if known and Path(known).is_file() else ()),
        *("--json", str(reports / "run.jsonl"), "--junit", str(reports / "run.xml")),
    ]


def main(environment: Mapping[str, str], suite: Sequence[str] = (), tool: Sequence[str] = ()) -> int:
    """`suite` runs the suite (`python3 ci run`), `tool` is `bullmq-compat`; both are those of this checkout."""
    reports = Path(environment.get("GATE_REPORTS") or "bullmq-compat")
    try:
        arguments = words(environment, reports)
    except ValueError as error:
        sys.stderr.write(f"bullmq-compat: {error}\n")
        return USAGE
    reports.mkdir(parents=True, exist_ok=True)
    record = reports / "run.jsonl"
    record.unlink(missing_ok=True)
    code = subprocess.call([*(suite or (sys.executable, str(ROOT / "ci"), "run")), *arguments])
    if record.exists() and record.stat().st_size:
        report(record, reports, tool or (str(ROOT / ".venv" / "bin" / "python"), "-m", "compat"))
    for name, text in (
        ("GITHUB_STEP_SUMMARY", _read(reports / "report.md")),
        ("GITHUB_OUTPUT", f"reports={reports}\nexit-code={code}\n"),
    ):
        if file := environment.get(name):
            with Path(file).open("a", encoding="utf-8") as out:
                out.write(text)
    return code


def report(record: Path, reports: Path, tool: Sequence[str]) -> None:
    """Make every report of the record; that one cannot be made does not change how the run came out."""
    made = {"html": "report.html", "markdown": "report.md", "badge": "badge.json"}
    options = [word for name, file in made.items() for word in (f"--{name}", str(reports / file))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))}
    if subprocess.call([*tool, "report", str(record), *options], env=environment):
        sys.stderr.write(f"bullmq-compat: the reports of {record} could not be made\n")


def _read(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main(os.environ))
