"""A chart of the throughput, as SVG: a group of bars for each workload, warm Node as the line to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from compat.bench.summary import Summary
from compat.bench.targets import NODE
from compat.bench.workloads import BY_ID

_LEFT, _RIGHT, _TOP = 210, 90, 64
_BAR, _GAP, _WIDTH = 11, 14, 860  # px
_COLOURS = {"ref": "#2563eb", "node": "#16a34a", "pypi-bullmq": "#d97706", "saq": "#9333ea", "floor": "#94a3b8"}
_SHADES = (1.0, 0.55)  # of several versions of one peer

_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2937; }
  .title { font-weight: 600; font-size: 15px; } .dim { fill: #6b7280; }
  .line { stroke: #16a34a; stroke-dasharray: 4 3; }
  @media (prefers-color-scheme: dark) { text { fill: #e5e7eb; } .dim { fill: #9ca3af; } }
"""


def chart(summary: Summary) -> str:
    """Bars are operations/s as a multiple of Node's (warm, where that was measured)."""
    workloads = [w for w in summary.workloads if BY_ID[w].measure == "rate" and _node(summary, w)]
    groups = [(w, list(_bars(summary, w))) for w in workloads]
    most = max((ratio for _, bars in groups for _, ratio, _ in bars), default=1.0)
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    out: list[str] = []
    y = _TOP
    for workload, bars in groups:
        middle = y + len(bars) * _BAR / 2 + 4
        out.append(f'<text x="{_LEFT - 10}" y="{middle:.0f}" text-anchor="end">{escape(_label(workload))}</text>')
        for peer, ratio, rate in bars:
            colour, shade = _paint(peer, summary)
            words = escape(f"{peer}: {rate:,.0f}/s, {ratio:.2f} of Node")
            out.append(
                f'<rect x="{_LEFT}" y="{y}" width="{max(1.0, ratio * scale):.1f}" height="{_BAR - 2}" fill="{colour}" '
                f'fill-opacity="{shade}"><title>{words}</title></rect>'
                f'<text class="dim" x="{_LEFT + ratio * scale + 5:.1f}" y="{y + _BAR - 3}" style="font-size:10px">'
                f"{rate:,.0f}</text>"
            )
            y += _BAR
        y += _GAP
    line = _LEFT + scale
    out.append(f'<line class="line" x1="{line:.1f}" x2="{line:.1f}" y1="{_TOP - 6}" y2="{y - _GAP + 4}"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" viewBox="0 0 {_WIDTH} {y}" role="img" '
        f'aria-label="Operations per second beside Node BullMQ">\n<style>{_STYLE}</style>\n'
        f'<text class="title" x="12" y="22">Operations per second; the line is {escape(NODE)}, warm</text>\n'
        + "\n".join([*_legend(summary), *out])
        + "\n</svg>\n"
    )


def _bars(summary: Summary, workload: str) -> Iterator[tuple[str, float, float]]:
    """Peer, ratio to Node, operations/s; each from its warm run where there is one."""
    node = _node(summary, workload)
    for peer in summary.peers:
        rate = _rate(summary, peer, workload)
        if rate is not None and node:
            yield peer, rate / node, rate


def _node(summary: Summary, workload: str) -> float | None:
    return _rate(summary, NODE, workload)


def _rate(summary: Summary, peer: str, workload: str) -> float | None:
    return summary.figure(peer, workload, "rate", warm=True) or summary.figure(peer, workload, "rate")


def _legend(summary: Summary) -> Iterator[str]:
    x = 12
    for peer in summary.peers:
        colour, shade = _paint(peer, summary)
        yield (
            f'<rect x="{x}" y="36" width="10" height="10" fill="{colour}" fill-opacity="{shade}"/>'
            f'<text x="{x + 15}" y="45">{escape(peer)}</text>'
        )
        x += 36 + 7 * len(peer)


def _paint(peer: str, summary: Summary) -> tuple[str, float]:
    base = peer.partition("@")[0]
    versions = [name for name in summary.peers if name.partition("@")[0] == base]
    return _COLOURS.get(base, "#64748b"), _SHADES[versions.index(peer) % len(_SHADES)]


def _label(workload: str) -> str:
    return f"{workload} {BY_ID[workload].title}"
