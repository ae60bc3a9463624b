"""`bullmq-compat driver`: what an author of a driver needs."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from shlex import join

import click
from rich.console import Console
from rich.text import Text

from compat.authoring.replay import Replayed
from compat.authoring.walk import Walked
from compat.cli.exits import Unfit
from compat.cli.options import OutFile, color
from compat.cli.signals import carried_out
from compat.cli.terminal import console

_EPILOG = """\b
Examples:
  bullmq-compat driver new --language python my-driver
  bullmq-compat driver check -- python3 my-driver/driver.py
  bullmq-compat driver replay told/002.jsonl -- ./driver

\b
Exit codes: 0 all well, 1 a step went wrong, 3 nothing could be tried,
64 usage.
"""
_NEW = """\b
Example:
  bullmq-compat driver new --language go my-driver
"""
_CHECK = """\b
Examples:
  bullmq-compat driver check -- ./driver --flag
  bullmq-compat driver check attach:127.0.0.1:9229
"""
_REPLAY = """\b
Example:
  bullmq-compat run job/add --impl 'cmd:./driver' --transcript told
  bullmq-compat driver replay told/002.jsonl -- ./driver
"""
_MARKS = {"ok": ("✓", "green"), "wrong": ("✗", "bold red"), "not offered": ("-", "dim"), "not reached": ("?", "yellow")}
_words = click.argument("words", nargs=-1, required=True, metavar="COMMAND...")


@click.group(epilog=_EPILOG)
def command() -> None:
    """Write a driver: a skeleton to begin with, a check that explains, a replay.

    A driver is any program that does, on standard input and output, what the harness asks of it.
    """


@command.command(epilog=_NEW)
@click.option("--language", type=click.Choice(["python", "node", "go", "rust"]), required=True)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
def new(language: str, folder: Path) -> int:
    """Write a skeleton that passes `driver check`, and shows where your port comes in."""
    from compat.authoring.skeleton import write

    try:
        made = write(language, folder)
    except FileExistsError as error:
        raise click.BadParameter(str(error), param_hint="DIR") from None
    except OSError as error:
        raise click.BadParameter(f"{folder}: {error.strerror}", param_hint="DIR") from None
    click.echo(f"{folder}: a driver in {language}. Next:")
    for step in (f"cd {folder}", *filter(None, [join(made.build)]), f"bullmq-compat driver check -- {made.start}"):
        click.echo(f"  {step}")
    return 0


@command.command(epilog=_CHECK)
@click.option("--transcript", type=OutFile(), metavar="FILE", help="Write down what is said.")
@color
@_words
def check(words: tuple[str, ...], transcript: Path | None, color: str) -> int:
    """Walk through the protocol with a driver, and explain each step that goes wrong.

    COMMAND starts it, or is `attach:HOST:PORT` for one that runs already.
    """
    from compat.authoring.walk import walk
    from compat.drivers.implementations import NODE_TARGET
    from compat.servers import ServerError

    out, counts = console(color), dict.fromkeys(_MARKS, 0)
    started = _started(words)

    async def go() -> None:
        async with aclosing(walk(started, bullmq=NODE_TARGET, transcript=transcript)) as steps:
            async for step in steps:
                counts[step.word] += 1
                _show_step(out, step)

    try:
        carried_out(go())
    except ServerError as error:
        raise Unfit(str(error)) from None
    out.print(", ".join(f"{count} {'well' if word == 'ok' else word}" for word, count in counts.items()))
    if not counts["wrong"]:
        name = words[0] if _is_name(words) else f"cmd:{join(words)}"
        out.print(f"Next: bullmq-compat run --impl {join([name])}", soft_wrap=True)
    return 1 if counts["wrong"] else 0


@command.command(epilog=_REPLAY)
@click.argument("transcript", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@color
@_words
def replay(transcript: Path, words: tuple[str, ...], color: str) -> int:
    """Tell a driver again what the harness told it in TRANSCRIPT, and show what it answers now.

    What the harness itself did to Redis (an expired lock, a moved marker) is not in a transcript.
    """
    from compat.authoring.replay import replay as again
    from compat.drivers import DriverError
    from compat.drivers.transcript import read
    from compat.servers import ServerError

    out, differing = console(color), 0
    started = _started(words)

    async def go() -> None:
        nonlocal differing
        async with aclosing(again(list(read(transcript)), started)) as lines:
            async for line in lines:
                differing += line.word in ("other", "missing")
                _show_line(out, line)

    try:
        carried_out(go())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="TRANSCRIPT") from None
    except (DriverError, ServerError) as error:
        raise Unfit(str(error)) from None
    out.print(f"{differing} of the driver's lines are not as they were" if differing else "every answer ends as it did")
    return 1 if differing else 0


def _show_step(out: Console, step: Walked) -> None:
    mark, style = _MARKS[step.word]
    out.print(Text.assemble((f"{mark} ", style), step.title, (f"  {step.word}", style)), soft_wrap=True)
    dim = "dim" if step.word == "not offered" else ""
    for name, text in (("seen", step.seen), ("expected", step.expected), ("to do", step.remedy)):
        if text:
            out.print(Text(f"    {name:9} {text}", style=dim), soft_wrap=True)
    for line in step.stderr:
        out.print(Text(f"    stderr    {line}"), soft_wrap=True)


def _show_line(out: Console, line: Replayed) -> None:
    bad = line.word in ("other", "missing")
    out.print(Text(f"{line.direction} {line.text}", style="bold red" if bad else ""), soft_wrap=True)
    if bad:
        out.print(Text(f"  {line.word}: {line.now}", style="bold red"), soft_wrap=True)


def _started(words: tuple[str, ...]) -> tuple[str, ...]:
    """The command to start: the words themselves, or what an implementation's name stands for."""
    from compat.drivers import ImplementationError, command_for

    try:
        return command_for(words[0]) if _is_name(words) else words
    except ImplementationError as error:
        raise Unfit(str(error)) from None


def _is_name(words: tuple[str, ...]) -> bool:
    return len(words) == 1 and (words[0] == "ref" or words[0].startswith(("node@", "pypi-bullmq@", "cmd:", "attach:")))
