"""`bullmq-compat schema`: the JSON schemas of what others write for this harness."""

from __future__ import annotations

import json
from typing import Any

import click

_EPILOG = """\b
Examples:
  bullmq-compat schema > scenario.schema.json
  bullmq-compat schema protocol
  bullmq-compat schema protocol --markdown > docs/protocol-reference.md
"""


@click.command(epilog=_EPILOG)
@click.argument("what", type=click.Choice(["scenario", "protocol"]), default="scenario")
@click.option("--markdown", is_flag=True, help="A page for people instead.")
def command(what: str, markdown: bool) -> None:
    """Print a JSON schema: of a scenario file, or of the driver protocol.

    The protocol's schema has every message under $defs, and every method with its parameters, in Node's order, under
    x-methods.
    """
    from compat.report.schema_page import page
    from compat.scenarios import schema

    shape = schema() if what == "scenario" else protocol()
    if markdown:
        click.echo(page(shape, f"bullmq-compat schema {what} --markdown"), nl=False)
    else:
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))


def protocol() -> dict[str, Any]:
    """The schema of `bullmq-compat/1`: any line is an `Envelope`."""
    import msgspec

    from compat.protocol import messages, methods, symbols

    shapes = (
        messages.Envelope, messages.Hello, messages.Welcome, messages.Begin, messages.ProcessorCall,
        messages.GateCall, messages.ProcessorAnswer, messages.ObjectEvent,
    )  # fmt: skip
    (envelope, *_), parts = msgspec.json.schema_components(shapes, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"The driver protocol {messages.PROTOCOL}",
        "description": "JSON-RPC 2.0, one UTF-8 object a line, in both directions. A line is an Envelope; its params "
        "and result are the other messages.",
        **envelope,
        "$defs": dict(sorted(parts.items())),
        "x-methods": {name: list(parameters) for name, parameters in methods.METHODS.items()},
        "x-error-symbols": dict(symbols.TEXTS),
    }
