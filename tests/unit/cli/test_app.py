"""The command line helps, is quick to start, and leaves with the exit codes that it documents."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from compat.cli.app import COMMANDS

Call = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_fits_80_columns_and_has_examples_and_exit_codes(call: Call, command: list[str]) -> None:
    code, out, _ = call(*command, "--help")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "Example" in out
    if command[:1] in ([], ["run"], ["doctor"], ["lint"], ["stability"]):
        assert "Exit codes" in out


def test_help_waits_for_nothing_heavy() -> None:
    """Start-up must be felt by nobody: no Redis client, YAML reader or event loop is loaded for help."""
    code = (
        "import sys\nfrom compat.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'asyncio', 'redis', 'rich', 'yaml', 'msgspec', 'deepdiff', 'subprocess'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_python_m_compat_is_the_same_program() -> None:
    done = subprocess.run([sys.executable, "-m", "compat", "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("bullmq-compat ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["lst"], "did you mean `list`?"),
        (["frobnicate"], "there are run, list"),
        (["run", "--arm", "sefl"], "'self'"),
        (["run", "--topology", "ring"], "'cluster'"),
        (["run", "--gate", "loose"], "'breaks-peer'"),
        (["run", "--jobs", "0"], "0 is not in the range"),
        (["run", "--repeat", "none"], "'none'"),
        (["run", "--frob"], "--frob"),
        (["run", "--scenarios", "/no/such/folder"], "/no/such/folder"),
        (["show"], "ID"),
        (["schema", "everything"], "'protocol'"),
        (["lint", "/no/such/file.yaml"], "/no/such/file.yaml"),
    ],
)
def test_wrong_usage_exits_64_and_says_what_would_be_right(call: Call, words: list[str], told: str) -> None:
    code, out, err = call(*words)
    assert (code, out) == (64, "")
    assert told in err and "Traceback" not in err


@pytest.mark.parametrize("command", ["run", "list", "show", "stability"])
def test_a_pattern_that_matches_nothing_is_wrong_usage(call: Call, suite: Path, command: str) -> None:
    code, _, err = call(command, "retry/fixde", "--scenarios", suite)
    assert code == 64 and "did you mean `retry/fixed`?" in err


@pytest.mark.parametrize("command", ["run", "list", "lint"])
def test_a_file_that_is_no_scenario_exits_3_with_file_and_line(call: Call, suite: Path, command: str) -> None:
    file = suite / "retry" / "fixed.yaml"
    file.write_text(file.read_text().replace("  - stop: w", "  - stpo: w"))
    code, _, err = call(command, *(["--scenarios"] if command != "lint" else []), suite)
    assert code == 3 and f"{file}:19" in err and "stpo" in err and "Traceback" not in err


WRITTEN = {
    "run": ["--json", "--junit"],
    "stability": ["--json", "--junit", "--page"],
    "record": ["--out"],
    "drift": ["--json", "--junit"],
    "combine": ["--json", "--junit"],
    "coverage": ["--json"],
    "bench": ["--json", "--chart"],
    "chaos": ["--json"],
    "shadow": ["--json", "--html", "--chart"],
    "report": ["--html", "--markdown", "--badge", "--junit", "--matrix"],
    "driver check": ["--transcript"],
    "baseline update": ["--known"],
}


@pytest.mark.parametrize(("command", "option"), [(name, option) for name in WRITTEN for option in WRITTEN[name]])
def test_a_file_that_cannot_be_written_is_found_out_before_the_work(
    call: Call, tmp_path: Path, command: str, option: str
) -> None:
    record = tmp_path / "record"
    record.touch()
    files = [record] if command in ("combine", "report", "baseline update") else []
    words = ["--", "true"] if command == "driver check" else []
    code, out, err = call(*command.split(), option, tmp_path / "no" / "such" / "file", *files, *words)
    assert (code, out) == (64, "") and option in err and "No such file" in err


@pytest.mark.parametrize("held", ["", "what the last run wrote"])
def test_a_file_to_be_written_is_as_it_was_until_then(call: Call, suite: Path, tmp_path: Path, held: str) -> None:
    file = tmp_path / "run.xml"
    if held:
        file.write_text(held)
    assert call("run", "--scenarios", suite, "--junit", file, "--impl", "gopherq", "--quiet")[0] == 3
    assert (file.read_text() if held else file.exists()) == (held or False)


def test_a_folder_that_cannot_be_made_is_wrong_usage(call: Call, suite: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for words in (["run", "--scenarios", suite, "--transcript"], ["driver", "new", "--language", "python"]):
        code, _, err = call(*words, tmp_path / "file" / "folder")
        assert code == 64 and "Not a directory" in err and "Traceback" not in err


def test_an_unknown_implementation_or_server_exits_3_with_what_to_do(call: Call, suite: Path) -> None:
    code, _, err = call("run", "--scenarios", suite, "--impl", "gopherq", "--quiet")
    assert code == 3 and "gopherq" in err and "cmd:" in err and "Traceback" not in err
    code, _, err = call("run", "--scenarios", suite, "--server", "/no/such/redis-server", "--quiet")
    assert code == 3 and "/no/such/redis-server" in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cmd:./driver 'oops", "`./driver 'oops` is no command line: No closing quotation"),
        ("attach:127.0.0.1:99999", "no driver listens at 127.0.0.1:99999"),
        ("attach:127.0.0.1", "attach:HOST:PORT"),
    ],
)
def test_a_driver_that_is_named_wrongly_is_told_of(call: Call, name: str, told: str) -> None:
    code, _, err = call("run", "job/add", "--impl", name, "--topology", "single", "--quiet")
    assert code == 3 and told in err and "Traceback" not in err


def test_a_golden_that_is_not_there_is_named_with_how_to_make_it(call: Call, tmp_path: Path) -> None:
    code, _, err = call("run", "job/add", "--oracle", f"golden:{tmp_path / 'my.golden'}")
    assert code == 3 and f"`bullmq-compat record --out {tmp_path / 'my.golden'}` makes one" in err


def test_list_names_scenarios_with_title_and_tags(call: Call, suite: Path) -> None:
    code, out, _ = call("list", "--scenarios", suite, "retry/f*")
    assert code == 0
    assert "retry/fixed" in out and "retry/other" not in out
    assert "A job with [bold]markup[/] fails for good  #smoke" in out and "1 scenario;" in out


def test_list_as_json_is_for_programs(call: Call, suite: Path) -> None:
    code, out, _ = call("list", "--scenarios", suite, "--json", "--tag", "smoke")
    rows = json.loads(out)
    assert code == 0 and [row["id"] for row in rows] == ["retry/fixed", "retry/other"]
    assert rows[0]["covers"] == ["T076"] and rows[0]["arms"] == ["self", "produce", "consume"]


def test_show_tells_a_scenario_in_words_with_the_lines_of_its_file(call: Call, suite: Path) -> None:
    code, out, _ = call("show", "retry/fixed", "--scenarios", suite, "--color", "never")
    assert code == 0
    for words in (
        "A job with [bold]markup[/] fails for good",
        "Support reads the reason.",
        "T076",
        "9  w: worker of \"mail\", opts {concurrency: 2}",
        "11  job j, attempt 1: held at gate held, progress 50, throws \"boom\"",
        "13  add job j \"email\" to q with data {\"to\": \"a@b\"}, opts {attempts: 1}",
        "15  wait until 1 held at gate held",
        "16  compare all keys and events here, as `mid`",
        "18  wait until 1 failed, 0 active",
        "21  job j: state \"failed\", failedReason \"boom\"",
    ):  # fmt: skip
        assert words in out
    assert "retry/fixed.yaml" in out.replace("\n", "").replace(" ", "")


def test_lint_counts_what_is_sound(call: Call, suite: Path) -> None:
    assert call("lint", suite) == (0, "2 scenarios, nothing to complain about\n", "")


def test_schemas_are_json(call: Call) -> None:
    _, scenario, _ = call("schema")
    assert json.loads(scenario)["$ref"] == "#/$defs/Scenario"
    _, protocol, _ = call("schema", "protocol")
    schema = json.loads(protocol)
    assert {"Envelope", "Welcome", "ProcessorCall"} <= schema["$defs"].keys()
    assert schema["x-methods"]["queue.add"] == ["name", "data", "opts"]


def test_a_reader_that_goes_away_is_no_fault() -> None:
    writer = subprocess.Popen(
        [sys.executable, "-m", "compat", "schema", "protocol"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert writer.stdout is not None
    writer.stdout.close()
    _, err = writer.communicate(timeout=60)
    assert (writer.returncode, err) == (141, b"")


def test_setup_in_a_checkout_points_to_what_sets_up_a_checkout(call: Call) -> None:
    code, _, err = call("setup")
    assert code == 3
    assert "Hint: python3 ci setup" in err
