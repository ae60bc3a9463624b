"""The programs in docs/examples run, and say what the pages say they say."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bullmq_ref import Queue
from compat.model.scenario import TopologyName

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "docs" / "examples"
DEADLINE = 30  # s

Fresh = Callable[[TopologyName], dict[str, str]]

#: Programs that need more than a server: they have tests of their own.
APART = {"worker"}
NAMES = sorted(file.stem for file in EXAMPLES.glob("*.py"))


def said(name: str) -> str:
    """What the pages show as the program's output."""
    return (EXAMPLES / "output" / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in APART])
def test_an_example_says_what_its_page_shows(name: str, fresh: Fresh) -> None:
    """Producer, queue management, progress, logs and retries, and all the others (T173–T175, T178)."""
    environment = fresh("cluster" if name == "cluster" else "single")
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"], env=environment, capture_output=True, text=True, timeout=DEADLINE
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == said(name)


async def test_the_worker_finishes_its_jobs_when_it_is_told_to_stop(fresh: Fresh) -> None:
    """(T172)"""
    environment = fresh("single")
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-u", str(EXAMPLES / "worker.py"), env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdout is not None
    lines: list[str] = []
    try:
        async with asyncio.timeout(DEADLINE), Queue("orders", connection=environment["REDIS_URL"]) as queue:
            lines.append((await worker.stdout.readline()).decode())
            for name in ("pay", "pay", "shout"):
                await queue.add(name, {"order": len(lines)})
                lines.append((await worker.stdout.readline()).decode())
            worker.send_signal(signal.SIGTERM)
            lines += [line.decode() async for line in worker.stdout]
            assert await worker.wait() == 0
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    assert "".join(lines) == said("worker")


def test_the_quickstart_of_the_readme_is_the_example_that_is_run() -> None:
    """(T178)"""
    readme = (ROOT / "README.md").read_text("utf-8")
    code = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    quickstart = (EXAMPLES / "quickstart.py").read_text("utf-8").partition('"""\n\n')[2]
    assert code == [quickstart]


def test_every_example_is_shown_on_a_page() -> None:
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md"))
    assert [name for name in NAMES if f"examples/{name}.py" not in pages] == []


def test_every_page_shows_programs_that_are_run_and_no_others() -> None:
    """Python in a page is an example, or part of one: so no page can show what does not work."""
    shown: list[str] = []
    for page in (ROOT / "docs").rglob("*.md"):
        blocks = re.findall(r"```python[^\n]*\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)
        shown += [f"{page.name}: {block}" for block in blocks if not block.startswith("--8<--")]
    assert shown == []
