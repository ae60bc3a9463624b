"""A badge: the JSON that a shields.io endpoint badge is made of."""

from __future__ import annotations

import json

from compat.report.collected import Run
from compat.report.text import printable

_COLORS = {0: "brightgreen", 1: "red", 2: "orange"}


def badge(run: Run) -> str:
    """`BullMQ 5.62.0 | 647 of 651 cells`: how many of the cells that apply pass; known differences are told apart."""
    words = run.words
    applicable = len(run.verdicts) - words["not-applicable"]
    message = f"{words['pass']:,} of {applicable:,} cells"
    if words["known"]:
        message += f", {words['known']:,} known"
    if run.footer is None:
        message += ", interrupted"
    shape = {
        "schemaVersion": 1,
        "label": f"BullMQ {printable(run.header.oracle.bullmq)}",
        "message": message,
        "color": "lightgrey" if run.footer is None else _COLORS.get(run.footer.exit_code, "lightgrey"),
    }
    return json.dumps(shape, ensure_ascii=False) + "\n"
