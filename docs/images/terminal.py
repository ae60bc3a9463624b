"""Draws what a command prints as a picture.

bullmq-compat run … --color always 2>&1 | python docs/images/terminal.py > docs/images/red.svg
"""

from __future__ import annotations

import io
import sys

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

WIDTH = 102  # the columns of COLUMNS=100, and a margin
#: Light letters on dark blue; no font is fetched, whatever the reader has of fixed width serves.
THEME = TerminalTheme(
    (24, 28, 38),
    (214, 219, 228),
    [
        (60, 66, 82), (240, 113, 120), (126, 211, 133), (232, 196, 104),
        (110, 168, 254), (199, 146, 234), (96, 205, 209), (214, 219, 228),
    ],
)  # fmt: skip
SHAPE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
text {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px }}
{styles}
</style>
<defs>{lines}</defs>
<rect fill="#181c26" width="{width}" height="{height}" rx="10"/>
<g transform="translate(20, 20)">{backgrounds}<g>{matrix}</g></g>
</svg>
"""


def draw(printed: str) -> str:
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi(printed), end="", soft_wrap=True)
    return console.export_svg(theme=THEME, code_format=SHAPE, unique_id="terminal")


if __name__ == "__main__":
    sys.stdout.write(draw(sys.stdin.read()))
