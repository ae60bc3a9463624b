"""`driver check` walks through the protocol and explains what goes wrong (T163)."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from compat.authoring.skeleton import SKELETONS, write
from compat.drivers import Driver

Call = Callable[..., tuple[int, str]]


@pytest.mark.parametrize("name", ["ref", "node@5.62.0"])
def test_the_drivers_of_this_project_pass_every_step(call: Call, name: str) -> None:
    code, said = call("driver", "check", name)
    assert (code, said.splitlines()[-2]) == (0, "19 well, 0 wrong, 0 not offered, 0 not reached"), said


def test_a_driver_that_says_yes_to_everything_is_found_out(call: Call, python: str, root: Path) -> None:
    code, said = call("driver", "check", "--", python, str(root / "tests/drivers/null.py"))
    assert code == 1
    wrong = [line for line in said.splitlines() if line.endswith("wrong")]
    assert [line.split()[1] for line in wrong if not line[0].isdigit()] == [
        "Answer", "Open", "Untag", "Answer", "Refuse", "Run", "Move", "Work",
    ]  # fmt: skip
    assert "5 not reached" in said or "4 not reached" in said  # what needs a worker that works


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("exits", "exit code 7"),
        ("greets", "standard output is the protocol's alone"),
        ("old-protocol", 'answer `initialize` with "protocol": "bullmq-compat/1"'),
        ("shapeless", "schema protocol"),
        ("refuses", "`initialize` was refused: not today"),
        ("mirrors", "it does not speak bullmq-compat/1"),
        ("hangs", "`ping` was not answered within 10000 ms"),
        ("dies", "killed by SIGKILL"),
        ("answers-twice", "answer each call once"),
        ("no-result", "neither `result` nor `error`"),
    ],
)
def test_a_driver_that_misbehaves_is_told_how(call: Call, python: str, root: Path, mode: str, told: str) -> None:
    code, said = call("driver", "check", "--", python, str(root / "tests/drivers/puppet.py"), mode)
    assert code == 1
    assert told in said, said


def test_what_a_driver_said_before_it_ended_is_shown(call: Call, python: str, root: Path) -> None:
    _, said = call("driver", "check", "--", python, str(root / "tests/drivers/puppet.py"), "exits")
    assert "    stderr    no module named bullmq\n" in said, said


def test_a_driver_that_tells_of_events_and_does_not_say_so_is_told(call: Call, python: str, root: Path) -> None:
    code, said = call("driver", "check", "--", python, str(root / "tests/drivers/modest.py"))
    assert code == 1
    assert "say so there" in said and said.count("  wrong") == 1, said
    assert "not reached" not in said.removesuffix("0 not reached\n"), said


@pytest.mark.parametrize(
    ("slip", "step", "told"),
    [
        ("anonymous", "Open a queue", "log in with the `username` and `password` of `scenario.begin`"),
        ("leaking", "Close what was opened", "close every connection"),
    ],
)
def test_a_driver_is_careful_with_its_connections(
    call: Call, python: str, root: Path, slip: str, step: str, told: str
) -> None:
    code, said = call("driver", "check", "--", python, str(root / "tests/drivers/careless.py"), slip)
    assert code == 1 and told in said, said
    assert next(line for line in said.splitlines() if line.endswith("wrong")).startswith(f"✗ {step}")


@pytest.mark.parametrize("language", SKELETONS)
def test_a_skeleton_passes_as_it_is_written(call: Call, tmp_path: Path, language: str) -> None:
    made = write(language, tmp_path / "driver")
    words = made.start.split()
    tool = made.build[0] if made.build else words[0]
    if shutil.which(tool) is None or (tool == "cargo" and subprocess.run([tool, "--version"], check=False).returncode):
        pytest.skip(f"no {tool} that works on this machine")
    if made.build:
        built = subprocess.run(made.build, cwd=tmp_path / "driver", capture_output=True, text=True, check=False)
        if built.returncode and language == "rust" and "serde_json" in built.stderr and "download" in built.stderr:
            pytest.skip("no registry of crates is reachable")
        assert built.returncode == 0, built.stderr
    words = [str(tmp_path / "driver" / word) if (tmp_path / "driver" / word).exists() else word for word in words]
    code, said = call("driver", "check", "--", *words)
    assert (code, said.splitlines()[-2]) == (0, "6 well, 0 wrong, 13 not offered, 0 not reached"), said


def test_new_says_what_comes_next(call: Call, tmp_path: Path) -> None:
    code, said = call("driver", "new", "--language", "go", str(tmp_path / "mine"))
    assert code == 0
    assert "go build -o driver ." in said and "bullmq-compat driver check -- ./driver" in said


ASKS = {  # a method that asks the harness, put into a skeleton
    "python": (
        "\n\nclass Driver:",
        '\n\n@method("queue.count")\nasync def count(driver, p):\n'
        '    return await driver.ask("processor.call", {"worker": "w", "job": {}})\n\n\nclass Driver:',
    ),
    "node": (
        "const METHODS = {",
        'const METHODS = {\n  "queue.count": (driver) => driver.ask("processor.call", { worker: "w", job: {} }),',
    ),
    "go": (
        "(*Driver, json.RawMessage) (any, error){",
        "(*Driver, json.RawMessage) (any, error){\n"
        '\t"queue.count": func(d *Driver, raw json.RawMessage) (any, error) {\n'
        '\t\treturn d.ask("processor.call", map[string]any{"worker": "w", "job": map[string]any{}}), nil\n\t},',
    ),
}


@pytest.mark.parametrize("language", ASKS)
async def test_a_skeleton_hears_what_it_asks_for(tmp_path: Path, language: str) -> None:
    made = write(language, tmp_path / "driver")
    source = next(file for file in (tmp_path / "driver").iterdir() if file.suffix in (".py", ".mjs", ".go"))
    text = source.read_text()
    assert text.count(ASKS[language][0]) == 1
    source.write_text(text.replace(*ASKS[language]))
    if (tool := (made.build or tuple(made.start.split()))[0]) and shutil.which(tool) is None:
        pytest.skip(f"no {tool} on this machine")
    if made.build:
        await asyncio.to_thread(subprocess.run, made.build, cwd=tmp_path / "driver", check=True)
    words = [
        str(tmp_path / "driver" / word) if (tmp_path / "driver" / word).exists() else word
        for word in made.start.split()
    ]
    driver = await Driver.launch(words, bullmq="5.62.0")
    try:

        async def handler(method: str, params: msgspec.Raw) -> str:
            return f"an answer to {method}"

        driver.serve(handler, None)
        asked = [driver.call("queue.count", deadline=5_000) for _ in range(2)]
        assert await asyncio.gather(*asked) == ["an answer to processor.call"] * 2
    finally:
        await driver.close()
