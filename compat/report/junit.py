"""JUnit XML for CI servers: a suite a cell, a case a check.

Names stay the same however a cell comes out, so that a CI server can follow a case over time. The first case of a
suite, `cell`, says whether the cell could be judged at all, and takes its seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from compat.model.verdict import CellVerdict, Difference
from compat.report.collected import Run
from compat.report.findings import gated
from compat.report.text import pair, printable

#: Which element tells that a cell was not judged by its checks; a word that is not here is told by the checks alone.
_OUTCOME = {
    "stale": "failure",
    "flaky": "failure",
    "invalid": "error",
    "error": "error",
    "not-applicable": "skipped",
}
_LIMIT = 1_000  # characters of a value
_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def junit(run: Run) -> str:
    """The whole document. Characters that XML cannot hold are escaped as the console shows them."""
    root = Element("testsuites", name="bullmq-compat")
    repeats: Counter[str] = Counter()
    for verdict in run.verdicts:
        repeats[verdict.cell.id] += 1
        root.append(_suite(run, verdict, repeats[verdict.cell.id]))
    seconds = run.footer.seconds if run.footer else sum(verdict.seconds for verdict in run.verdicts)
    _count(root, seconds)
    for suite in root:
        suite.tail = "\n"
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(run: Run, verdict: CellVerdict, repeat: int) -> Element:
    cell = verdict.cell
    name = f"{cell.id} #{repeat}" if repeat > 1 else cell.id
    suite = Element("testsuite", name=printable(name), timestamp=run.header.started)
    properties = SubElement(suite, "properties")
    for key, value in _about(run, verdict).items():
        SubElement(properties, "property", name=key, value=printable(value))
    place = printable(f"{cell.scenario.replace('/', '.')}.{cell.arm}-{cell.topology}")
    for case in (_cell(verdict), *_checks(run, verdict)):
        case.set("classname", place)
        suite.append(case)
    _count(suite, verdict.seconds)
    return suite


def _count(part: Element, seconds: float) -> None:
    found = Counter(element.tag for element in part.iter())
    part.set("tests", str(found["testcase"]))
    for tag, name in _COUNTED.items():
        part.set(name, str(found[tag]))
    part.set("time", f"{seconds:.3f}")


def _about(run: Run, verdict: CellVerdict) -> dict[str, str]:
    header = run.header
    return {
        "port": f"{header.port.name} {header.port.version} ({header.port.language})",
        "oracle": f"{header.oracle.name} {header.oracle.version}",
        "server": header.servers.get(verdict.cell.topology, ""),
        "gate": header.gate,
    }


def _cell(verdict: CellVerdict) -> Element:
    """Whether the cell was played to its end and judged."""
    case = _case("cell", verdict.seconds)
    kind = _OUTCOME.get(verdict.word)
    if kind is not None:
        outcome = SubElement(case, kind, message=printable(verdict.reason) or verdict.word)
        if kind != "skipped":
            outcome.set("type", verdict.word)
            outcome.text = "\n".join(printable(text) for text in (verdict.reason, verdict.hint) if text) or None
    if verdict.stderr:
        SubElement(case, "system-err").text = "\n".join(map(printable, verdict.stderr))
    return case


def _checks(run: Run, verdict: CellVerdict) -> Iterator[Element]:
    """A case a check, in the order in which they were made; then what was no check, as a step that never ended."""
    differing: dict[str, list[Difference]] = defaultdict(list)
    for difference in verdict.differences:
        differing[_check(difference)].append(difference)
    for name in dict.fromkeys((*verdict.made, *differing)):
        case = _case(name, 0.0)
        if name in differing:
            case.append(_differs(run, verdict, differing[name]))
        yield case


def _check(difference: Difference) -> str:
    """The name of a difference's case: its check without the scenario. The laws of a capture have one case."""
    scope, law, _ = difference.check.partition("#")[2].partition("/laws/")
    return f"{scope}/laws" if law else scope


def _case(name: str, seconds: float) -> Element:
    return Element("testcase", name=printable(name), time=f"{seconds:.3f}")


def _differs(run: Run, verdict: CellVerdict, differences: Sequence[Difference]) -> Element:
    told = "\n\n".join(map(_told, differences))
    failing = [one for one in differences if gated(one.level, run.header.gate)]
    if not failing:
        outcome = Element("system-out")
    elif verdict.word == "known":
        return Element("skipped", message=printable(verdict.reason) or verdict.word)
    else:
        more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
        outcome = Element("failure", message=printable(failing[0].words) + more, type=failing[0].level)
    outcome.text = told
    return outcome


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
