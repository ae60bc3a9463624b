"""`bullmq-compat report`: what people and programs read, made of the records of runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compat.cli.options import OutFile, color

if TYPE_CHECKING:
    from compat.report.collected import Run

_EPILOG = """\b
Examples:
  bullmq-compat report run.jsonl --html report.html
  bullmq-compat report run.jsonl --markdown -          for a pull request
  bullmq-compat report run.jsonl --badge badge.json    for shields.io
  bullmq-compat report go.jsonl rust.jsonl php.jsonl --matrix MATRIX.md
  bullmq-compat report go.jsonl rust.jsonl --html ports.html

Without an option, the report is shown as `run` shows it.
"""

_FORMATS = {
    "html": "One page that needs no server and no network; of several FILEs, ports side by side.",
    "markdown": "Markdown for a pull request, short enough for one comment.",
    "badge": "JSON for a shields.io endpoint badge.",
    "junit": "JUnit XML.",
    "matrix": "Markdown: ports and versions against areas; of several FILEs.",
}


_SEVERAL = ("matrix", "html")  # what can be made of several FILEs


def _file(name: str, words: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    return click.option(f"--{name}", type=OutFile(allow_dash=True), metavar="OUT", help=f"{words} - is stdout.")


@click.command(epilog=_EPILOG)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@_file("html", _FORMATS["html"])
@_file("markdown", _FORMATS["markdown"])
@_file("badge", _FORMATS["badge"])
@_file("junit", _FORMATS["junit"])
@_file("matrix", _FORMATS["matrix"])
@color
def command(files: tuple[Path, ...], color: str, **wanted: str | None) -> None:
    """Make reports of the records that `run --json` wrote.

    Several FILEs are ports side by side: a matrix or a page. The shards of one run are put together by `combine`.
    """
    from compat.cli.records import record

    asked = {name: out for name, out in wanted.items() if out is not None}
    if len(files) > 1 and (alone := [name for name in asked if name not in _SEVERAL] or not asked):
        name = f"--{alone[0]}" if isinstance(alone, list) else "a report"
        raise click.UsageError(
            f"{name} is of one run; put shards together with `combine`, ports with --matrix or --html"
        )
    runs = [record(file, whole=False) for file in files]
    if not asked:
        from compat.cli.terminal import console
        from compat.report.console import print_report

        print_report(console(color), runs[0])
        return
    for name, out in asked.items():
        text = _together(name, runs) if name == "matrix" or len(runs) > 1 else _made(name, runs[0])
        if out == "-":
            click.echo(text, nl=not text.endswith("\n"))
        else:
            try:
                Path(out).write_text(text, encoding="utf-8")
            except OSError as error:
                raise click.BadParameter(f"{out}: {error.strerror}", param_hint=f"--{name}") from None


def _together(name: str, runs: Sequence[Run]) -> str:
    from compat.report.html import ports_page
    from compat.report.matrix import matrix

    return matrix(runs) if name == "matrix" else ports_page(runs)


def _made(name: str, run: Run) -> str:
    from compat.report.badge import badge
    from compat.report.html import page
    from compat.report.junit import junit
    from compat.report.markdown import markdown

    makers: dict[str, Callable[[Run], str]] = {"html": page, "markdown": markdown, "badge": badge, "junit": junit}
    return makers[name](run)
