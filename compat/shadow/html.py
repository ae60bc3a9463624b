"""The report of a shadow run as one page, and its latencies as a picture; neither loads anything."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Final
from xml.sax.saxutils import escape

from compat.model.cell import Side
from compat.report.html.markup import Markup, el
from compat.report.text import printable
from compat.shadow.latencies import QUANTILES
from compat.shadow.report import Report
from compat.shadow.words import findings, rows, table

_COLOURS: Final[dict[Side, str]] = {"oracle": "#16a34a", "port": "#2563eb"}
_LEFT, _RIGHT, _WIDTH, _BAR, _GAP = 190, 80, 760, 18, 12  # px
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2937; }
  .title { font-weight: 600; font-size: 14px; } .dim { fill: #6b7280; }
  @media (prefers-color-scheme: dark) { text { fill: #e5e7eb; } .dim { fill: #9ca3af; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Report) -> str:
    """The whole document."""
    title = f"{report.names['port']} beside {report.names['oracle']}"
    outcome = "good" if report.good else "bad"
    found = list(findings(report))
    head = (
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        el("title", title),
        el("style", Markup(files("compat.report.html").joinpath("page.css").read_text("utf-8"))),
    )
    words = "nothing found" if report.good else f"{len(found)} findings"
    body = el(
        "main",
        el("h1", title, el("small", f" on {report.server}")),
        el("p", el("b", words), class_=f"outcome {outcome}"),
        el("p", f"seed {report.plan.seed} · {report.seconds:.0f} s", class_="facts"),
        el("table", *(el("tr", el("th", name), el("td", value)) for name, value in rows(report))),
        el("h2", "Latencies"),
        Markup(chart(report)),
        *((el("h2", "Findings"), el("ul", *(el("li", el("code", line)) for line in found))) if found else ()),
        class_="wrap",
    )
    return f"<!doctype html>\n{el('html', el('head', *head), el('body', body), lang='en')}\n"


def chart(report: Report) -> str:
    """The latencies as SVG: for each quantile a bar of Node's and one of the port's."""
    bars = list(table(report))
    most = max((ms for _, _, values in bars for ms in values), default=1) or 1
    drawn = list(_bars(report, most))
    height = 40 + len(bars) * (len(QUANTILES) * _BAR + _GAP + _BAR)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        f'role="img" aria-label="Latencies of both sides">\n<style>{_STYLE}</style>\n'
        f'<text class="title" x="12" y="20">Latencies in ms (p50, p95, p99), by Redis\'s clock</text>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def _bars(report: Report, most: int) -> Iterator[str]:
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    y = 40
    for title, side, values in table(report):
        yield f'<text x="12" y="{y + 12}">{escape(printable(f"{title}, {report.names[side]}"))}</text>'
        y += _BAR
        for percent, ms in zip(QUANTILES, values, strict=True):
            width = max(1.0, ms * scale)
            yield (
                f'<text class="dim" x="{_LEFT - 8}" y="{y + 12}" text-anchor="end">p{percent}</text>'
                f'<rect x="{_LEFT}" y="{y + 2}" width="{width:.1f}" height="{_BAR - 4}" fill="{_COLOURS[side]}"/>'
                f'<text class="dim" x="{_LEFT + width + 5:.1f}" y="{y + 12}">{ms:,}</text>'
            )
            y += _BAR
        y += _GAP
