"""A mirror as the command line shows it: what differs as it happens, live figures in a terminal, a summary."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import defaultdict
from collections.abc import Awaitable

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from compat.cli.terminal import console
from compat.mirror import words
from compat.mirror.mirror import Mirror
from compat.mirror.model import Divergence, Gap, Unread
from compat.report.text import printable
from compat.watch.line import Away

_REFRESH_S = 0.2


class Teller:
    """Tells of one mirror on stdout."""

    def __init__(self, as_json: bool, color: str) -> None:
        self._json = as_json
        self._out = console(color)
        self._unread: dict[str, list[str]] = defaultdict(list)
        columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=self._out, transient=True, disable=as_json or not self._out.is_terminal)
        self._task = self._bar.add_task("")

    def begin(self, line: str) -> None:
        """What is mirrored, and where to."""
        if not self._json:
            self._out.print(printable(line), soft_wrap=True)

    def tell(self, item: Divergence | Unread | Gap | Away | None) -> None:
        """Tell it now."""
        if item is None or isinstance(item, Away):
            line = "the servers are back" if item is None else f"waiting for {item}"
            click.echo(printable(line), err=True)
            return
        if isinstance(item, Unread) and len(self._unread[item.why]) < words.EXAMPLES:
            self._unread[item.why].append(item.job)
        if self._json:
            click.echo(json.dumps(words.record(item)))
            return
        counts = not isinstance(item, Divergence) or item.counts
        for number, line in enumerate(words.told(item)):
            self._bar.console.print(line, style="red" if counts and number == 0 else None, soft_wrap=True)

    async def follow(self, mirror: Mirror, run: Awaitable[None]) -> None:
        """Show how far it is, until it ends."""
        showing = asyncio.create_task(self._show(mirror), name="figures")
        try:
            with self._bar:
                await run
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)

    async def _show(self, mirror: Mirror) -> None:
        while True:
            counts = mirror.counts
            self._bar.update(
                self._task,
                description=f"{counts.replayed:,} replayed, {counts.compared:,} compared, "
                f"{counts.divergent:,} divergent, {mirror.waiting:,} under way, {mirror.behind:,.0f} s behind",
            )
            await asyncio.sleep(_REFRESH_S)

    def end(self, mirror: Mirror) -> None:
        """The summary."""
        if self._json:
            click.echo(json.dumps(words.end(mirror.counts, mirror.waiting)))
            return
        for line in words.summary(mirror.counts, mirror.waiting, self._unread):
            self._out.print(line, soft_wrap=True)


def signalled() -> asyncio.Event:
    """Set by Ctrl-C or SIGTERM: the mirror is to end, with its summary. A second one ends it at once."""
    over = asyncio.Event()
    task = asyncio.current_task()
    assert task is not None

    def end() -> None:
        if over.is_set():
            task.cancel()
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end)
    return over
