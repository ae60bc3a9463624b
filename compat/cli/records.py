"""Records: files that `run --json` wrote, read for what is made of them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from compat.cli.exits import Unfit
from compat.model.cell import Cell
from compat.report.collected import Run, collected
from compat.report.jsonl import RecordError, read


def record(file: Path | str, *, whole: bool = True) -> Run:
    """The run in a file. Raises `Unfit`."""
    try:
        with Path(file).open(encoding="utf-8") as lines:
            run = collected(read(lines, str(file), whole=whole))
    except RecordError as error:
        raise Unfit(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Unfit(f"{file} cannot be read: {error}", "name a file that `run --json FILE` wrote") from None
    assert run is not None  # `read` gives a header, or raises
    return run


def durations_of(file: Path) -> dict[Cell, float]:
    """Seconds by cell; of a cell that ran several times, their mean."""
    seconds: dict[Cell, list[float]] = defaultdict(list)
    for verdict in record(file, whole=False).verdicts:
        seconds[verdict.cell].append(verdict.seconds)
    return {cell: sum(times) / len(times) for cell, times in seconds.items()}
