"""known.yaml: read into a baseline, or refused in words, with lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from compat.cli.exits import STALE, Unfit
from compat.cli.suite import chosen
from compat.judge.baseline import SCHEMA, Baseline, complaints
from compat.model.cell import Cell
from compat.scenarios import ScenarioError
from compat.scenarios.yaml import Source, parse

_SHAPE = "`bullmq-compat baseline update` writes one; see `bullmq-compat baseline --help`"


class StaleBaseline(Unfit):
    """A baseline that is wrong whatever a run would show."""

    exit_code = STALE


def baseline(file: Path, folder: Path | None) -> Baseline:
    """The baseline in a file, sound: each entry has a cause, each cell exists, none is listed twice.

    Raises `StaleBaseline` with every complaint and its line.
    """
    source = _source(file)
    found = _converted(source)
    told = [
        f"{file}:{source.line(('known', one.entry, *(() if one.row is None else ('seen', one.row))))}: {one.message}"
        for one in complaints(found, exists(folder))
    ]
    if told:
        raise StaleBaseline("\n".join(told), "`bullmq-compat baseline update` keeps reasons and drops what is gone")
    return found


def load(file: Path) -> Baseline:
    """The baseline in a file, whatever complaints there are about it; an empty one where there is no file."""
    return _converted(_source(file)) if file.exists() else Baseline()


def exists(folder: Path | None) -> Callable[[Cell], bool]:
    """Whether the suite has a cell."""
    suite = {scenario.id: scenario for scenario in chosen(folder, all_of_them=True)}

    def there(cell: Cell) -> bool:
        scenario = suite.get(cell.scenario)
        return scenario is not None and cell.arm in scenario.arms and cell.topology in scenario.topologies

    return there


def _source(file: Path) -> Source:
    try:
        return parse(file.read_text("utf-8"), str(file))
    except ScenarioError as error:
        raise StaleBaseline(str(error), _SHAPE) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StaleBaseline(f"{file} cannot be read: {error}", _SHAPE) from None


def _converted(source: Source) -> Baseline:
    try:
        found = msgspec.convert(source.value, Baseline)
    except msgspec.ValidationError as error:
        raise StaleBaseline(f"{source.file}: this is no baseline: {error}", _SHAPE) from None
    if found.schema != SCHEMA:
        said = f"{source.file} has schema {found.schema}, this program reads {SCHEMA}"
        raise StaleBaseline(said, _SHAPE)
    return found
