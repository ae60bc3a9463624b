"""JUnit XML for CI servers: one test case a cell."""

from __future__ import annotations

from collections import Counter
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from compat.model.verdict import CellVerdict, Difference
from compat.report.collected import Run
from compat.report.text import pair, printable

#: Which element tells it; a word that is not here passes.
_OUTCOME = {
    "fail": "failure",
    "stale": "failure",
    "flaky": "failure",
    "invalid": "error",
    "error": "error",
    "known": "skipped",
    "not-applicable": "skipped",
}
_LIMIT = 1_000  # characters of a value


def junit(run: Run) -> str:
    """The whole document. Characters that XML cannot hold are escaped as the console shows them."""
    cases = [_case(verdict) for verdict in run.verdicts]
    kinds = Counter(case[0].tag for case in cases if len(case))
    seconds = run.footer.seconds if run.footer else sum(verdict.seconds for verdict in run.verdicts)
    totals = {
        "name": "bullmq-compat",
        "tests": str(len(cases)),
        "failures": str(kinds["failure"]),
        "errors": str(kinds["error"]),
        "skipped": str(kinds["skipped"]),
        "time": f"{seconds:.3f}",
    }
    root = Element("testsuites", totals)
    suite = SubElement(root, "testsuite", totals | {"timestamp": run.header.started})
    properties = SubElement(suite, "properties")
    for name, value in _about(run).items():
        SubElement(properties, "property", name=name, value=printable(value))
    _number_repeats(cases)
    suite.extend(cases)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _about(run: Run) -> dict[str, str]:
    header = run.header
    about = {
        "oracle": f"{header.oracle.name} {header.oracle.version}",
        "port": f"{header.port.name} {header.port.version} ({header.port.language})",
        "harness": header.harness,
        "gate": header.gate,
    }
    return about | {f"server.{topology}": title for topology, title in header.servers.items()}


def _case(verdict: CellVerdict) -> Element:
    cell = verdict.cell
    case = Element(
        "testcase",
        classname=printable(cell.scenario.replace("/", ".")),
        name=printable(cell.id),
        time=f"{verdict.seconds:.3f}",
    )
    kind = _OUTCOME.get(verdict.word)
    if kind is not None:
        outcome = SubElement(case, kind, message=_message(verdict))
        if kind != "skipped":
            outcome.set("type", verdict.word)
        outcome.text = _text(verdict) or None
    if verdict.stderr:
        SubElement(case, "system-err").text = "\n".join(map(printable, verdict.stderr))
    return case


def _message(verdict: CellVerdict) -> str:
    more = len(verdict.differences) - 1
    if verdict.differences and verdict.word != "known":
        return printable(verdict.differences[0].words) + (f" (and {more} more)" if more > 0 else "")
    return printable(verdict.reason) or verdict.word


def _text(verdict: CellVerdict) -> str:
    reason = [printable(text) for text in (verdict.reason, verdict.hint) if text]
    return "\n\n".join(("\n".join(reason), *map(_told, verdict.differences))).strip()


def _told(difference: Difference) -> str:
    oracle, port = pair(difference.oracle, difference.port, _LIMIT)
    lines = (
        f"{difference.level}  {difference.check}",
        f"  {difference.words}",
        f"  where   {difference.where}",
        f"  oracle  {oracle}",
        f"  port    {port}",
        *([f"  why     {difference.why}"] if difference.why else []),
    )
    return "\n".join(map(printable, lines))


def _number_repeats(cases: list[Element]) -> None:
    """A cell that ran several times has one case for each, told apart by `#2`, `#3` …"""
    seen: Counter[str] = Counter()
    for case in cases:
        name = case.get("name", "")
        seen[name] += 1
        if seen[name] > 1:
            case.set("name", f"{name} #{seen[name]}")
