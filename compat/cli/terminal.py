"""Consoles: where words go, in colour or not."""

from __future__ import annotations

import os
import sys

from rich.console import Console

WIDTH = 100  # columns, where there is no terminal to ask


def console(color: str = "auto", *, err: bool = False) -> Console:
    """On stdout, or stderr. `color` is `auto` (in a terminal, and not with NO_COLOR), `always` or `never`."""
    stream = sys.stderr if err else sys.stdout
    terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=True if color == "always" else None,
        force_interactive=None if terminal else False,
        color_system=None if color == "never" else "auto",
        width=None if terminal or "COLUMNS" in os.environ else WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )
