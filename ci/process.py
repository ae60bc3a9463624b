"""Commands of the set-up: run quietly, logged, stopped together, and explained when they fail."""

from __future__ import annotations

import contextlib
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TAIL = 15  # lines of a failed command that are shown; the log has them all
GRACE_S = 5.0

_LOGIN = re.compile(r"(?<=://)[^\s/@]+(?=@)")


@dataclass
class SetUpError(Exception):
    """A step that failed: what was being done, what was seen, what to do about it."""

    step: str
    seen: str
    advice: str

    def __str__(self) -> str:
        seen = "\n".join(f"    {line}" for line in self.seen.splitlines())
        return f"set-up failed at: {self.step}\n\n{seen}\n\n  What to do: {self.advice}\n"


def redacted(text: str) -> str:
    """The text without the logins of its addresses: index and registry addresses may carry a password."""
    return _LOGIN.sub("***", text)


def tail(output: str, lines: int = TAIL) -> str:
    """The last lines that say something."""
    return "\n".join([line for line in output.splitlines() if line.strip()][-lines:])


class Shell:
    """Runs the commands of one set-up, at once if need be, and can end all that are running."""

    def __init__(self, logs: Path, environ: Mapping[str, str]) -> None:
        self.logs = logs
        self.environ = dict(environ)
        self._running: set[subprocess.Popen[str]] = set()
        self._guard = threading.Lock()
        self._stopped = False

    def attempt(self, argv: Sequence[str | Path], cwd: Path, **environ: str) -> tuple[int, str]:
        """Exit code and whole output of a command; 127 where it could not be started."""
        words = [str(word) for word in argv]
        with self._guard:
            if self._stopped:
                return -signal.SIGTERM, "stopped"
            try:
                process = subprocess.Popen(
                    words,
                    cwd=cwd,
                    env=self.environ | environ,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                )
            except OSError as error:
                return 127, str(error)
            self._running.add(process)
        try:
            output, _ = process.communicate()
        finally:
            with self._guard:
                self._running.discard(process)
        return process.returncode, redacted(output)

    def run(self, step: str, argv: Sequence[str | Path], cwd: Path, advice: str, **environ: str) -> str:
        """The output of a command that must work. Raises `SetUpError` with its last lines."""
        code, output = self.attempt(argv, cwd, **environ)
        command = redacted(shlex.join(str(word) for word in argv))
        log = self.logs / f"{step.replace(' ', '-')}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"$ {command}\n{output}\n[exit code {code}]\n", encoding="utf-8")
        if code != 0:
            raise SetUpError(step, f"{command}\nexit code {code}; the end of {log}:\n\n{tail(output)}", advice)
        return output

    def stop(self) -> None:
        """Ends what runs, first politely; nothing can be started afterwards."""
        with self._guard:
            self._stopped = True
            running = tuple(self._running)
        for process in running:
            process.terminate()
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_S)
                continue
            process.kill()
