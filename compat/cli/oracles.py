"""`--oracle`: what is right, live or recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import click

from compat.cli.exits import Unfit
from compat.compare.golden import Golden, GoldenError, read
from compat.drivers.implementations import NODE_TARGET
from compat.model.cell import Arm

GOLDEN = f"bullmq-{NODE_TARGET}.golden"


@dataclass(frozen=True)
class Oracle:
    """`live` is an implementation; a `golden` comes with the `name` of its file."""

    live: str = f"node@{NODE_TARGET}"
    golden: Golden | None = None
    name: str = ""


def oracle_options(text: str | None, arms: Sequence[Arm] = ()) -> Oracle:
    """What `--oracle` means. An arm that a golden cannot play is wrong usage; a file that is none raises `Unfit`."""
    if text is None:
        return Oracle()
    kind, _, path = text.partition(":")
    if kind != "golden":
        return Oracle(text)
    if others := [arm for arm in arms if arm != "self"]:
        raise click.UsageError(f"--oracle golden plays no part, and --arm {others[0]} needs a Node that does")
    file = Path(path or GOLDEN)
    return Oracle("", golden(file), file.name)


def golden(file: Path) -> Golden:
    """The golden in a file. Raises `Unfit`."""
    try:
        with file.open(encoding="ascii") as lines:
            return read(lines, str(file))
    except GoldenError as error:
        raise Unfit(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Unfit(
            f"{file} cannot be read: {error}", f"`bullmq-compat record --out {quote(str(file))}` makes one"
        ) from None
