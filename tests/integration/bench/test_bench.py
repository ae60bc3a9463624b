"""The benchmark on real servers, with few jobs: that it measures, not what."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from compat.bench.peers import Peer, peer
from compat.bench.plan import Run
from compat.bench.records import Record
from compat.bench.runner import Failed, measure
from compat.bench.workloads import BY_ID


async def record(name: str | Peer, workload: str, jobs: int) -> Record:
    who = name if isinstance(name, Peer) else peer(name)
    (made,) = [made async for made in measure([Run(BY_ID[workload], who, jobs, warm=False, round=0)], again=False)]
    return made


@pytest.mark.parametrize("workload", ["W2", "W3", "W7", "W8", "W9", "W10", "W11"])
@pytest.mark.parametrize("name", ["ref", "node@5.62.0", "floor"])
async def test_a_peer_does_what_it_is_asked(name: str, workload: str) -> None:
    if not peer(name).can(BY_ID[workload].asks["kind"]):
        pytest.skip(f"{name} has nothing to do for {workload}")
    made = await record(name, workload, 20)
    queues = len(BY_ID[workload].queues)
    assert made.answer.ops == 20 * queues
    assert made.answer.seconds > 0
    assert made.answer.cpu_whole >= made.answer.cpu >= 0
    assert made.answer.rss_peak > 1_000_000
    assert len(made.answer.latencies) == (20 if BY_ID[workload].measure == "latency" else 0)
    assert made.scripts >= 20


async def test_a_worker_needs_one_script_a_job() -> None:
    """Fetch-next is not lost: what is beyond one script a job is start-up."""
    made = await record("ref", "W5", 1_000)
    assert 1_000 <= made.scripts <= 1_030


async def test_a_program_that_does_not_answer_is_told_of_with_what_it_said() -> None:
    broken = Peer("broken", (sys.executable, "-c", "raise SystemExit('no such queue')"))
    with pytest.raises(Failed, match=r"(?s)broken ended with 1.*no such queue"):
        await record(broken, "W1", 20)


async def test_jobs_that_were_not_done_are_not_counted() -> None:
    program = (
        "import json;"
        'print(json.dumps({"ops": 20, "seconds": 1, "cpu": 0, "cpu_whole": 0, "rss_peak": 1, "rss_growth": 0}))'
    )
    with pytest.raises(Failed, match="said it had completed 20 jobs of W5; Redis has 0"):
        await record(Peer("liar", (sys.executable, "-c", program)), "W5", 20)


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "compat", "bench", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_one_command_measures_judges_and_writes(tmp_path: Path) -> None:
    (tmp_path / "performance.md").write_text("<!-- figures: begin --><!-- figures: end -->\n")
    written = tmp_path / "bench.json"
    outputs = ("--json", str(written), "--docs", str(tmp_path))
    done = bench("W5", "--peers", "ref,node@5.62.0", "--jobs", "100", "--rounds", "1", *outputs)
    assert done.returncode == 0, done.stderr
    assert "W5 scripts" in done.stdout
    whole = json.loads(written.read_text())
    assert sorted((r["peer"], r["warm"]) for r in whole["records"]) == [
        (name, warm) for name in ("node@5.62.0", "ref") for warm in (False, True)
    ]
    assert all(r["figures"]["rate"] > 0 and "latencies" not in r["answer"] for r in whole["records"])
    assert "| W5 |" in (tmp_path / "performance.md").read_text()
    assert (tmp_path / "performance.svg").read_text().startswith("<svg")


def test_an_unknown_workload_is_a_usage_error() -> None:
    done = bench("W99")
    assert done.returncode == 64
    assert "there are W1" in done.stderr


def test_an_unknown_peer_ends_the_benchmark_with_words() -> None:
    done = bench("W1", "--peers", "nobody")
    assert done.returncode == 3
    assert "'nobody' is no peer; there are ref" in done.stderr
