"""`bullmq-compat coverage` tells which lines of BullMQ's Lua the scenarios run."""

import json
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner

from bullmq_ref import lua
from compat.cli.app import cli
from compat.coverage.lua import instrument
from compat.servers.own import start


def test_every_instrumented_script_is_lua_that_redis_accepts() -> None:
    running = start("single")
    try:
        with redis.Redis(running.nodes[0].host, running.nodes[0].port) as client:
            for number, text in enumerate(lua.extract(lua.DEFAULT_PACKAGE).values()):
                assert client.script_load(instrument(number, text).text)
    finally:
        running.stop()


def test_the_lines_that_a_scenario_runs_are_told(tmp_path: Path) -> None:
    """(T007)"""
    told = tmp_path / "coverage.json"
    arguments = ["coverage", "pause/lists", "--topology", "single", "--json", str(told), "--docs", str(tmp_path)]
    result = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    found = {script["script"]: script for script in json.loads(told.read_text())}
    assert len(found) == 49
    assert len(found["pause"]["missed"]) < found["pause"]["lines"] / 2
    finished = found["moveToFinished"]  # no worker is in it
    assert len(finished["missed"]) + len(finished["excused"]) == finished["lines"]
    assert "49 scripts" in result.output
    assert "1 scenario ran" in (tmp_path / "coverage.md").read_text()


@pytest.mark.parametrize(("percent", "code"), [("1", 0), ("99", 1)])
def test_too_little_fails(percent: str, code: int) -> None:
    arguments = ["coverage", "pause/lists", "--topology", "single", "--fail-under", percent]
    result = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert result.return_value == code, result.output
