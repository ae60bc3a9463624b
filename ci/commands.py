"""The commands of `python3 ci`: each sets up what it needs, then becomes or runs the tool that does the work."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from ci import docs, locks, matrix, release, stability, suite, wheel
from ci.house import House
from ci.process import SetUpError

USAGE = """\
Usage: python3 ci COMMAND [ARGUMENTS…]

Every command first sets up what it needs, in this checkout only (.venv, node, .state): 10 to 20 s the
first time, nothing afterwards. Python 3.11 or newer is all that has to be there.

Commands:
  run [ARGUMENTS…]    run the conformance suite: bullmq-compat run ARGUMENTS
  test [ARGUMENTS…]   run the tests: pytest ARGUMENTS; the whole suite is held to 80 % coverage
  lint                ruff, mypy and the import contracts
  check               lint, the documentation, then the whole test suite: what CI runs
  docs                build the documentation into .state/site; a warning is an error
  wheel               build wheel and sdist into dist/, and try the wheel on every Python of this machine
  matrix [SERVER…]    run the whole suite on every known server, or on those named, and renew docs/servers.md
  stability [COMMIT]  the oracle against itself: all scenarios 3 times, those touched since COMMIT 20 times
  release VERSION     look at all that a release needs; with --tag, make its commit and tag
  kills [FAULTS…]     play the seeded faults in every scenario where they can show, and write docs/kills.md
  setup               set up, and do nothing else
  lock                make requirements.lock and ci/locks anew, with the newest versions that fit

Examples:
  python3 ci run                                    every scenario, the reference library against Node
  python3 ci run 'retry/*' --topology cluster       some scenarios, on a Cluster of three masters
  python3 ci run --impl 'cmd:./my-driver'           your own port
  python3 ci run --help                             all that `run` can do
  python3 ci test tests/unit -k stamps              some tests
  python3 ci matrix 'redis 6.2'                     two rows of docs/servers.md anew
  BULLMQ_COMPAT_NODE_VERSION=22.20.0 python3 ci run   with exactly that Node

Exit codes: those of the tool; 3 when the set-up fails, 64 for an unknown command.
"""

USAGE_ERROR = 64
SET_UP_FAILED = 3
INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Runs one command and gives its exit code; `run`, `test` and `kills` do not return, they become their tool."""
    command, rest = (arguments[0], list(arguments[1:])) if arguments else ("--help", [])
    if command in ("--help", "-h", "help"):
        sys.stdout.write(USAGE)
        return 0
    if command not in COMMANDS:
        sys.stderr.write(
            f"python3 ci: there is no command {command!r}. There are: {', '.join(COMMANDS)}; see python3 ci --help\n"
        )
        return USAGE_ERROR
    if command not in ("run", "test", "kills") and rest and rest[0] in ("--help", "-h"):
        sys.stdout.write(USAGE)
        return 0
    if command not in ("run", "test", "matrix", "stability", "release", "kills") and rest:
        sys.stderr.write(
            f"python3 ci {command} takes no arguments, but was given {' '.join(rest)!r}; see python3 ci --help\n"
        )
        return USAGE_ERROR
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        return COMMANDS[command](House(), rest)
    except SetUpError as error:
        sys.stderr.write(str(error))
        return SET_UP_FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; the next start takes up where this one stopped\n")
        return INTERRUPTED


def run(house: House, arguments: Sequence[str]) -> int:
    """Becomes `bullmq-compat run`, in the caller's folder: its arguments may name files."""
    house.set_up()
    _become(house, ["-m", "compat", "run", *arguments])


def test(house: House, arguments: Sequence[str]) -> int:
    """Becomes pytest, in the checkout's folder."""
    house.set_up()
    os.chdir(house.root)
    _become(house, ["-m", "pytest", *suite.pytest_arguments(arguments)])


def lint(house: House, _: Sequence[str] = ()) -> int:
    """Runs all linters, also after one has complained; 1 if any did."""
    house.set_up()
    return 1 if suite.failures(house, suite.LINTERS) else 0


def check(house: House, _: Sequence[str] = ()) -> int:
    """Runs linters, builds the documentation, runs the tests; the tests' own summary comes last. 1 if any failed."""
    house.set_up()
    failures = suite.failures(house, suite.LINTERS)
    if docs.build(house):
        failures.append("docs")
    failures += suite.failures(house, (suite.Tool("tests", ("pytest", *suite.pytest_arguments(()))),))
    if failures:
        sys.stderr.write(f"failed: {', '.join(failures)}\n")
        return 1
    release.stamp(house)
    return 0


def document(house: House, _: Sequence[str] = ()) -> int:
    """Builds the documentation."""
    house.set_up()
    return docs.build(house)


def build(house: House, _: Sequence[str] = ()) -> int:
    """Builds the wheel and tries it where no checkout can help it. 1 if it fails."""
    house.set_up()
    return wheel.check(house)


def servers(house: House, names: Sequence[str] = ()) -> int:
    """Runs the suite on every known server, or on those that are named. 1 if one run is not clean."""
    try:
        matrix.chosen(names)
    except matrix.Unknown as error:
        sys.stderr.write(f"python3 ci matrix: {error}\n")
        return USAGE_ERROR
    house.set_up()
    return matrix.run(house, names)


def stable(house: House, arguments: Sequence[str]) -> int:
    """Runs the oracle against itself. 1 if it differs."""
    if len(arguments) > 1:
        sys.stderr.write(f"python3 ci stability takes one commit, but was given {' '.join(arguments)!r}\n")
        return USAGE_ERROR
    house.set_up()
    return stability.run(house, *arguments)


def publish(house: House, arguments: Sequence[str]) -> int:
    """Looks at all that a release needs, and makes it if asked to."""
    house.set_up()
    return release.run(house, arguments)


def kills(house: House, arguments: Sequence[str]) -> int:
    """Becomes the kill matrix, in the checkout's folder."""
    house.set_up()
    os.chdir(house.root)
    _become(house, [str(Path("tests") / "mutants" / "matrix.py"), *arguments])


def setup(house: House, _: Sequence[str] = ()) -> int:
    """Sets up."""
    house.set_up()
    return 0


def lock(house: House, _: Sequence[str] = ()) -> int:
    """Makes the lock files of Python anew; `npm install` in node/ makes the other one."""
    house.set_up()
    locks.make(house)
    return 0


COMMANDS: dict[str, Callable[[House, Sequence[str]], int]] = {
    "run": run,
    "test": test,
    "lint": lint,
    "check": check,
    "docs": document,
    "wheel": build,
    "matrix": servers,
    "stability": stable,
    "release": publish,
    "kills": kills,
    "setup": setup,
    "lock": lock,
}


def _become(house: House, words: Sequence[str]) -> NoReturn:
    """Replaces this process, so that signals and exit codes are the tool's own."""
    sys.stdout.flush()
    os.execve(house.python, [str(house.python), *words], house.activated())
