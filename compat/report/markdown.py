"""Markdown for a pull request: what it came to, what differs, what was not judged; short enough for one comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from compat.model.verdict import LEVELS, CellVerdict
from compat.report.collected import Run
from compat.report.findings import Finding, Subject, findings, gated, places, subjects
from compat.report.marks import EXIT_WORDS, LEVEL_WORDS, MARKS
from compat.report.text import listed, number, pair, printable, shortened

LIMIT = 60_000  # characters; a comment holds 65,536
SUBJECTS = 15  # rows
TOLD = 25  # differences told in full
_WORDS = 400  # characters of a sentence
_ACTIVE = re.compile(r"([\\`*_{}\[\]<>()#+!|~@$:&-])")
_SIGNS = {0: "✅", 1: "❌", 2: "⚠️", 3: "⚠️"}


def escaped(text: str, limit: int = _WORDS) -> str:
    """Text that shows as it is, whatever of Markdown, HTML or mentions it holds."""
    return _ACTIVE.sub(r"\\\1", shortened(printable(text), limit))


def code(text: str) -> str:
    """Text in a code span, which no backtick in it can end."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{printable(text)}{pad}{fence}"


def markdown(run: Run) -> str:
    """The whole text; what does not fit is counted."""
    out, size = [], 0
    for block in _blocks(run):
        size += len(block) + 2
        if size > LIMIT:
            out.append("*And more, which a comment has no room for; the record holds it all.*")
            break
        out.append(block)
    return "\n\n".join(out) + "\n"


def _blocks(run: Run) -> Iterator[str]:
    header, footer = run.header, run.footer
    exit_code = footer.exit_code if footer is not None else 130
    port, oracle = header.port, header.oracle
    who = f"{escaped(port.name)} {escaped(port.version)} against {escaped(oracle.name)} {escaped(oracle.version)}"
    yield f"## {_SIGNS.get(exit_code, '⚠️')} {who}"
    yield f"**{EXIT_WORDS.get(exit_code, f'exit code {exit_code}')}**"
    yield _counts(run)
    found = [
        finding
        for finding in findings(v for v in run.verdicts if v.word in ("fail", "stale", "flaky"))
        if gated(finding.level, header.gate)
    ]
    if found:
        yield _summary(found)
        for subject in subjects(found)[:TOLD]:
            yield _told(subject)
    reasons = [v for v in run.verdicts if v.word in ("stale", "flaky", "invalid", "error")]
    if reasons:
        yield "### Not judged, or judged otherwise"
        yield "\n".join(_reasons(reasons))
    known = [v for v in run.verdicts if v.word == "known"]
    if known:
        yield f"{number(len(known), 'cell')} with known differences."
    mended = sorted({name for v in run.verdicts for name, what in v.quirks.items() if what == "mended"})
    if mended:
        yield f"Quirks of Node 5.62.0 that the port does without: {escaped(listed(mended))}."
    for words in header.unheard:
        yield f"*{escaped(words)}*"
    yield (
        f"<sub>{escaped(header.started)}; harness {escaped(header.harness)}; gate {header.gate}; "
        + "; ".join(f"{topology}\\: {escaped(title)}" for topology, title in header.servers.items())
        + "</sub>"
    )


def _counts(run: Run) -> str:
    words = [word for word in MARKS if run.words[word]]
    table = [
        "| cells | " + " | ".join(words) + " | checks | seconds |",
        "|--:|" + "--:|" * (len(words) + 2),
        f"| {len(run.verdicts):,} | "
        + " | ".join(f"{run.words[word]:,}" for word in words)
        + f" | {run.checks:,} | {f'{run.footer.seconds:.0f}' if run.footer else 'interrupted'} |",
    ]
    return "\n".join(table)


def _summary(found: list[Finding]) -> str:
    about = subjects(found)
    rows = [
        f"| {subject.level} | {code(subject.name.replace('|', '¦'))} | {subject.scenarios} | {subject.cells} |"
        for subject in about[:SUBJECTS]
    ]
    more = [f"\n*And {len(about) - SUBJECTS} more.*"] if len(about) > SUBJECTS else []
    levels = [level for level in LEVELS if any(subject.level == level for subject in about)]
    legend = "; ".join(f"**{level}** {LEVEL_WORDS[level]}" for level in levels)
    head = ["| level | what differs | scenarios | cells |", "|---|---|--:|--:|"]
    return "\n".join([*head, *rows, *more, "", legend])


def _told(subject: Subject) -> str:
    """One example whole, and where else it is."""
    finding = min(subject.findings, key=lambda finding: LEVELS.index(finding.level))
    first = finding.first
    oracle, port = pair(first.oracle, first.port, _WORDS)
    others = [other.scenario for other in subject.findings if other is not finding]
    lines = (
        f"- oracle {code(oracle)}",
        f"- port {code(port)}",
        f"- where {code(first.where)}, cells {escaped(places(finding.cells))}",
        *([f"- also in {escaped(listed(others))}"] if others else []),
        *(["", escaped(first.why)] if first.why else []),
    )
    check = escape(printable(finding.check))
    head = f"<details><summary><b>{subject.level}</b> <code>{check}</code></summary>"
    return "\n".join((head, "", escaped(first.words), "", *lines, "", "</details>"))


def _reasons(verdicts: list[CellVerdict]) -> Iterator[str]:
    for verdict in verdicts[:TOLD]:
        yield f"- **{verdict.word}** {code(verdict.cell.id)} {escaped(verdict.reason)}"
    if len(verdicts) > TOLD:
        yield f"- and {len(verdicts) - TOLD} more"
