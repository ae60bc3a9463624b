"""The command line, called as a function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from compat.cli import main

Result = tuple[int, str, str]

SCENARIO = """\
schema: 1
id: {id}
title: A job with [bold]markup[/] fails for good
why: Support reads the reason.
covers: [T076]
tags: [smoke]
objects:
  q: {{queue: mail}}
  w: {{worker: mail, opts: {{concurrency: 2}}}}
program:
  - {{when: {{job: j, attempt: 1}}, gate: held, do: [{{progress: 50}}], then: {{throw: boom}}}}
steps:
  - add: {{on: q, as: j, name: email, data: {{to: a@b}}, opts: {{attempts: 1}}}}
  - start: w
  - until: {{gate: held}}
  - capture: mid
  - release: held
  - until: {{state: {{failed: 1, active: 0}}}}
  - stop: w
expect:
  - {{job: j, state: failed, failedReason: boom}}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder with two scenarios, `retry/fixed` and `retry/other`."""
    folder = tmp_path / "suite"
    (folder / "retry").mkdir(parents=True)
    for name in ("fixed", "other"):
        (folder / "retry" / f"{name}.yaml").write_text(SCENARIO.format(id=f"retry/{name}"), encoding="utf-8")
    return folder


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run `bullmq-compat` with these words; exit code, stdout, stderr."""

    def call(*words: object) -> Result:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return end.value.code, out, err

    return call
