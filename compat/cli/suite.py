"""The suite: the scenarios that a command line means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

import compat
from compat.cli.exits import Unfit
from compat.model.scenario import Scenario
from compat.scenarios import NoSuchScenario, ScenarioError, everyday, pick
from compat.scenarios.complaint import Path as Place
from compat.scenarios.yaml import parse

_PACKAGE = Path(compat.__file__).parent


def folder(given: Path | None = None) -> Path:
    """The folder `given`, else the checkout's `scenarios/`, else the suite that came with the package."""
    if given is not None:
        return given
    for place in (_PACKAGE.parent / "scenarios", _PACKAGE / "_suite"):
        if place.is_dir():
            return place
    raise Unfit("there are no scenarios beside this package", "name a folder with --scenarios DIR")


def chosen(
    given: Path | None, patterns: Sequence[str] = (), tags: Sequence[str] = (), *, all_of_them: bool = False
) -> tuple[Scenario, ...]:
    """The scenarios asked for; where none is named, those of every day, unless `all_of_them` are meant.

    A pattern that matches none is wrong usage; a file that is none, an error.
    """
    top = folder(given)
    try:
        found = pick(top, patterns, tags)
    except ScenarioError as error:
        raise Unfit(str(error), "`bullmq-compat lint` checks scenario files; see docs/scenarios.md") from None
    except NoSuchScenario as error:
        raise click.UsageError(str(error)) from None
    return found if patterns or tags or all_of_them else everyday(found)


def source(given: Path | None, scenario: Scenario) -> tuple[Path, Callable[[Place], int]]:
    """The scenario's file, and the line on which a place in it stands."""
    top = folder(given)
    file = top if top.is_file() else top / f"{scenario.id}.yaml"
    return file, parse(file.read_text("utf-8"), str(file)).line
