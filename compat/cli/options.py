"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from compat.model.scenario import ArmName, TopologyName

F = TypeVar("F", bound=Callable[..., Any])


class OutFile(click.Path):
    """A file to be written. That it cannot be is found out before the work, not after it, and it stays as it was."""

    def __init__(self, *, allow_dash: bool = False) -> None:
        super().__init__(dir_okay=False, allow_dash=allow_dash, path_type=None if allow_dash else Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = super().convert(value, param, ctx)
        file = Path(str(path))
        new = not file.exists()
        if (new or file.is_file()) and path != "-":  # a pipe must not be opened twice
            try:
                file.open("a").close()
            except OSError as error:
                self.fail(f"{file}: {error.strerror}", param, ctx)
            if new:
                file.unlink()
        return path


SERVER_HELP = (
    "Redis: 'embedded' (the wheel's server), a URL (redis://, rediss://), a path to or the name of a redis-server or "
    "valkey-server, or container[:IMAGE].  [default: embedded]"
)


def selection(command: F) -> F:
    """PATTERN…, --tag, --scenarios."""
    for option in reversed(
        (
            click.argument("patterns", nargs=-1, metavar="[PATTERN]..."),
            click.option("--tag", "tags", multiple=True, metavar="TAG", help="Scenarios with this tag (repeatable)."),
            scenarios,
        )
    ):
        command = option(command)
    return command


def scenarios(command: F) -> F:
    """--scenarios."""
    return click.option(
        "--scenarios",
        "folder",
        type=click.Path(exists=True, path_type=Path),
        metavar="DIR",
        help="Scenarios of your own.  [default: the suite]",
    )(command)


def execution_alone(command: F) -> F:
    """--server, --jobs: of what plays one arm on both topologies."""
    for option in reversed((
        click.option("--server", default="embedded", metavar="SERVER", help=SERVER_HELP),
        click.option("--jobs", type=click.IntRange(min=1), metavar="N",
                     help="Cells at once.  [default: as many as the machine bears]"),
    )):  # fmt: skip
        command = option(command)
    return command


def execution(command: F) -> F:
    """What decides how cells are run: --arm, --topology, --server, --jobs."""
    command = execution_alone(command)
    for option in reversed((
        click.option("--arm", "arms", type=click.Choice(get_args(ArmName)), multiple=True,
                     help="Who plays which part (repeatable).  [default: all]"),
        click.option("--topology", "topologies", type=click.Choice(get_args(TopologyName)), multiple=True,
                     help="One Redis, or a Cluster (repeatable).  [default: both]"),
    )):  # fmt: skip
        command = option(command)
    return command


def output(command: F) -> F:
    """Where the record goes, and how much is said: --json, --junit, --quiet, --color."""
    for option in reversed((
        click.option("--json", "json_file", type=OutFile(allow_dash=True), metavar="FILE",
                     help="Write the record as JSON lines; - is stdout."),
        click.option("--junit", "junit_file", type=OutFile(), metavar="FILE",
                     help="Write JUnit XML."),
        click.option("--quiet", "-q", is_flag=True, help="Only what went wrong, and the last lines."),
        color,
    )):  # fmt: skip
        command = option(command)
    return command


def color(command: F) -> F:
    """--color."""
    return click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colours; auto is in a terminal, and not with NO_COLOR.",
    )(command)
