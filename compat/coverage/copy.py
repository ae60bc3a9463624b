"""A copy of the Node driver whose BullMQ has instrumented scripts, and a server whose log keeps what they say."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from compat.coverage.lua import instrument

_LITERAL = re.compile(r"(const content = `)((?:[^`\\]|\\.)*)(`;)", re.DOTALL)
_ESCAPED = re.compile(r"\\([`\\$])")
_TO_ESCAPE = re.compile(r"([`\\$])")

#: Servers write their log into a folder of ours instead of standard output, which the harness throws away.
_SERVER = """#!/bin/sh
case "$1" in -*) [ "$1" = --version ] && exec {binary} --version;; esac
exec {binary} "$@" --logfile {logs}/$$.log
"""


class Copy(Struct, frozen=True):
    """`driver`: the script for Node; `server`: the binary; `lines`: script → lines that it can name."""

    driver: Path
    server: Path
    lines: Mapping[str, tuple[int, ...]]
    logs: Path

    def notes(self) -> Iterator[str]:
        """What the scripts have said so far, over all servers. A server that was killed may owe its last lines."""
        for log in sorted(self.logs.glob("*.log")):
            with log.open(encoding="utf-8", errors="replace") as text:
                yield from (line.rstrip("\n") for line in text)


@contextmanager
def instrumented(node: Path, binary: Path) -> Iterator[Copy]:
    """Copy the driver in the folder `node` with its BullMQ; the copy is gone afterwards. Raises OSError, ValueError."""
    with TemporaryDirectory(prefix="bullmq-compat-coverage-") as name:
        top = Path(name)
        shutil.copytree(node / "lib", top / "lib")
        for file in ("driver.mjs", "package.json"):
            shutil.copy(node / file, top / file)
        modules, copies = node / "node_modules", top / "node_modules"
        copies.mkdir()
        for package in modules.iterdir():
            if package.name != "bullmq":
                (copies / package.name).symlink_to(package.resolve())
        shutil.copytree(modules / "bullmq", copies / "bullmq", ignore=shutil.ignore_patterns("esm", "*.map", "*.d.ts"))
        lines = _instrument_all(copies / "bullmq" / "dist" / "cjs" / "scripts")
        logs = top / "logs"
        logs.mkdir()
        server = top / "server"
        server.write_text(_SERVER.format(binary=shlex.quote(str(binary)), logs=shlex.quote(str(logs))))
        server.chmod(0o755)
        yield Copy(top / "driver.mjs", server, lines, logs)


def _instrument_all(scripts: Path) -> dict[str, tuple[int, ...]]:
    lines: dict[str, tuple[int, ...]] = {}
    for number, file in enumerate(sorted(scripts.glob("*-*.js"))):
        text = file.read_text(encoding="utf-8")
        literal = _LITERAL.search(text)
        if literal is None:
            raise ValueError(f"{file} holds no script: expected a template literal named `content`")
        made = instrument(number, _ESCAPED.sub(r"\1", literal[2]))
        name = file.stem.rpartition("-")[0]
        lines[name] = made.lines
        begin, end = literal.span(2)
        file.write_text(text[:begin] + _TO_ESCAPE.sub(r"\\\1", made.text) + text[end:], encoding="utf-8")
    if not lines:
        raise ValueError(f"no scripts in {scripts}: is the npm package bullmq installed there? (`python3 ci setup`)")
    return lines
