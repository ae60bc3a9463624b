"""The gate's outside on real servers: baselines, shards, goldens, traces and reports, from the command line."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from compat.report.collected import Run, collected
from compat.report.jsonl import read

ROOT = Path(__file__).parents[3]
NULL = f"cmd:{shlex.join([sys.executable, str(ROOT / 'tests' / 'drivers' / 'null.py')])}"
MUTANT = f"cmd:{shlex.join([sys.executable, str(ROOT / 'tests' / 'mutants' / 'mutant.py'), 'no-added-event'])}"
ONE = ("job/add", "--arm", "self", "--topology", "single")
NO_NODE = {"BULLMQ_COMPAT_NODE": "/no/such/node"}


def compat(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "compat", *map(str, words)],
        env={name: value for name, value in os.environ.items() if name != "CI"} | environment,
        capture_output=True,
        text=True,
        timeout=180,
    )


def run_in(file: Path) -> Run:
    with file.open(encoding="utf-8") as lines:
        run = collected(read(lines, str(file)))
    assert run is not None
    return run


def test_a_baseline_is_written_needs_its_reasons_and_passes_what_is_known_until_it_changes(tmp_path: Path) -> None:
    """(T163)"""
    record, known = tmp_path / "run.jsonl", tmp_path / "known.yaml"
    assert compat("run", *ONE, "--impl", MUTANT, "--json", record, "-q").returncode == 1
    refused = compat("baseline", "update", record, "--known", known, CI="true")
    assert refused.returncode == 3 and "not for CI" in refused.stderr and not known.exists()
    made = compat("baseline", "update", record, "--known", known)
    assert made.returncode == 0 and "write the reason" in made.stdout, made.stderr

    bare = compat("run", *ONE, "--impl", MUTANT, "--known", known)
    assert bare.returncode == 2 and f"{known}:5: `*/events` has no `reason`" in bare.stderr, bare.stderr
    known.write_text(known.read_text().replace('reason: ""', 'reason: "it says created"'))
    assert compat("baseline", "check", "--known", known).returncode == 0
    passed = compat("run", *ONE, "--impl", MUTANT, "--known", known)
    assert passed.returncode == 0 and "1 known" in passed.stdout, passed.stdout

    mended = compat("run", *ONE, "--impl", "ref", "--known", known)
    assert mended.returncode == 2 and "there is no difference" in " ".join(mended.stdout.split()), mended.stdout
    other = compat("run", *ONE, "--impl", NULL, "--known", known)
    assert other.returncode in (1, 2) and "1 known" not in other.stdout
    known.write_text(known.read_text().replace('"job/add"', '"job/nowhere"'))
    unknown = compat("run", *ONE, "--impl", MUTANT, "--known", known)
    assert unknown.returncode == 2 and "there is no cell job/nowhere[self,single]" in unknown.stderr


@pytest.mark.parametrize(
    "text", ["", "schema: 2\nknown: []\n", "known: 3\n", "knwon: []\n", "- a\n", "known: [{check: x}]\n"]
)
def test_a_file_that_is_no_baseline_is_refused_in_words(tmp_path: Path, text: str) -> None:
    known = tmp_path / "known.yaml"
    known.write_text(text)
    done = compat("baseline", "check", "--known", known)
    assert done.returncode == 2 and str(known) in done.stderr and "Traceback" not in done.stderr


def test_shards_are_combined_into_the_whole_run_and_gaps_are_refused(tmp_path: Path) -> None:
    words = ("job/add", "job/lifo", "job/order", "--impl", "node@5.62.0", "--topology", "single", "-q")
    parts = [tmp_path / f"{number}.jsonl" for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        assert compat("run", *words, "--shard", f"{number}/2", "--json", part).returncode == 0
    whole = tmp_path / "whole.jsonl"
    done = compat("combine", *parts, "--json", whole)
    assert done.returncode == 0 and "exit code 0" in done.stdout, done.stderr
    assert run_in(whole).header.cells == sum(run_in(part).header.cells for part in parts)
    assert len(run_in(whole).scenarios) == 3
    again = compat("run", *words, "--shard", "1/2", "--durations", whole, "--json", parts[0])
    assert again.returncode == 0
    gap = compat("combine", parts[0])
    assert gap.returncode == 3 and "missing: shard 2/2" in gap.stderr


def test_a_golden_stands_for_node_and_an_oracle_that_drifts_is_told(tmp_path: Path) -> None:
    golden, again = tmp_path / "a.golden", tmp_path / "b.golden"
    scenarios = ("job/add", "retry/fixed")
    for file in (golden, again):
        made = compat("record", *scenarios, "--out", file)
        assert made.returncode == 0 and "4 recordings of bullmq 5.62.0" in made.stdout, made.stdout + made.stderr
    assert golden.read_bytes() == again.read_bytes()

    record = tmp_path / "run.jsonl"
    passed = compat("run", *scenarios, "--oracle", f"golden:{golden}", "--json", record, "-q", **NO_NODE)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert {verdict.cell.arm for verdict in run_in(record).verdicts} == {"self"}
    failed = compat("run", "job/add", "--impl", MUTANT, "--oracle", f"golden:{golden}", "-q", **NO_NODE)
    assert failed.returncode == 1 and "added" in failed.stdout, failed.stdout
    asked = compat("run", *ONE[:1], "--arm", "produce", "--oracle", f"golden:{golden}")
    assert asked.returncode == 64 and "needs a Node" in asked.stderr

    assert compat("drift", *scenarios, "--golden", golden, "-q").returncode == 0
    moved = golden.read_text().replace('\\"a\\":1', '\\"a\\":2').replace('"added"', '"adde"')
    golden.write_text(moved)
    drifted = compat("drift", "job/add", "--golden", golden, "-q")
    assert drifted.returncode == 1 and "adde" in drifted.stdout, drifted.stdout
    missing = compat("drift", "job/lifo", "--golden", golden, "-q")
    assert missing.returncode == 3 and "no recording" in missing.stdout


def test_cells_in_trouble_are_traced_and_every_report_is_made_of_the_record(tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    assert compat("run", "job/add", "--impl", MUTANT, "--trace", "--json", record, "-q").returncode == 1
    run = run_in(record)
    failed = [verdict.cell for verdict in run.verdicts if verdict.word == "fail"]
    assert sorted(run.traces) == sorted(failed) != []
    for cell, trace in run.traces.items():
        assert trace.word == "fail"
        (call,) = [call for call in trace.port if call.script == "addStandardJob" or len(call.script) == 10]
        assert call.side == "port" and call.keys[0] == "<prefix>:mail:wait"
        assert json.loads(call.args[0])[0] == "<prefix>:mail:", cell
        assert "addStandardJob" in [call.script for call in trace.oracle]
        assert {call.side for call in trace.oracle} == {"oracle"}

    files = {name: tmp_path / name for name in ("html", "markdown", "badge", "junit", "matrix")}
    made = compat("report", record, *(word for name, file in files.items() for word in (f"--{name}", file)))
    assert made.returncode == 0, made.stderr
    assert all(file.stat().st_size > 50 for file in files.values())
    assert compat("report", record, "--badge", "-").stdout == files["badge"].read_text("utf-8")
    shown = compat("report", record)
    assert shown.returncode == 0 and "exit code 1" in shown.stdout


def test_a_report_of_several_runs_is_a_matrix_or_a_page(tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    assert compat("run", *ONE, "--impl", "node@5.62.0", "--json", record, "-q").returncode == 0
    two = compat("report", record, record, "--badge", tmp_path / "x")
    assert two.returncode == 64 and "combine" in two.stderr
    assert "<title>2 ports against bullmq 5.62.0</title>" in compat("report", record, record, "--html", "-").stdout
    assert compat("report", record, record, "--matrix", "-").stdout.startswith("| | bullmq 5.62.0 | bullmq 5.62.0 |")
    record.write_text("no record")
    broken = compat("report", record, "--badge", "-")
    assert broken.returncode == 3 and f"{record}:1" in broken.stderr and "Traceback" not in broken.stderr
