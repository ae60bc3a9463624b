"""`bullmq-compat doctor`: is everything there?"""

from __future__ import annotations

import click

from compat.cli.options import color

_EPILOG = """\b
Examples:
  bullmq-compat doctor
  bullmq-compat doctor --json

\b
Exit codes: 0 all that is required is there, 3 something is missing.
"""


@click.command(epilog=_EPILOG)
@click.option("--json", "as_json", is_flag=True, help="A JSON object, for programs.")
@color
def command(as_json: bool, color: str) -> int:
    """Look whether everything that is needed is there.

    Servers and drivers are really started. What is missing is told with how to get it.
    """
    import json
    from dataclasses import asdict

    from rich.text import Text

    from compat.cli.examine import Found, examine
    from compat.cli.exits import UNUSABLE
    from compat.cli.signals import carried_out
    from compat.cli.terminal import console
    from compat.report.text import printable

    words = console(color)
    found: list[Found] = []

    async def look() -> None:
        async for one in examine():
            found.append(one)
            if not as_json:
                words.print(line(one), soft_wrap=True)

    def line(one: Found) -> Text:
        sign, style = ("ok", "green") if one.ok else ("MISSING", "bold red") if one.required else ("-", "dim")
        text = Text.assemble((f"{sign:<8}", style), (f"{one.name:<17}", "bold"), printable(one.seen))
        if not one.ok:
            label = "to do: " if one.required else "optional: "
            text.append(f"\n{'':25}{label}{printable(one.remedy)}", style="" if one.required else "dim")
        return text

    carried_out(look())
    missing = [one.name for one in found if one.required and not one.ok]
    if as_json:
        click.echo(json.dumps({"ok": not missing, "checks": [asdict(one) for one in found]}, indent=2))
    elif missing:
        words.print(Text(f"\nmissing: {', '.join(missing)}", style="bold red"))
    else:
        words.print(Text("\neverything that is required is there", style="bold green"))
    return UNUSABLE if missing else 0
