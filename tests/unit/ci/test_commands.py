"""The command line of `python3 ci`, as far as it needs no set-up."""

import pytest

from ci import commands


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"], ["setup", "--help"], ["check", "-h"]])
def test_help_shows_every_command_and_examples(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(arguments) == 0
    shown = capsys.readouterr().out
    assert all(f"  {command} " in shown for command in commands.COMMANDS)
    assert "Examples:" in shown


def test_an_unknown_command_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["tests"]) == 64
    told = capsys.readouterr().err
    assert "no command 'tests'" in told
    assert "run, test, lint, check, docs, wheel, matrix, stability, release, kills, setup, lock" in told


def test_arguments_where_none_are_taken_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["setup", "now"]) == 64
    assert "takes no arguments" in capsys.readouterr().err


def test_an_unknown_server_is_refused_before_anything_is_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["matrix", "redis 5"]) == 64
    assert "python3 ci matrix: no server is called 'redis 5'; there are: 'valkey 9.1'" in capsys.readouterr().err
