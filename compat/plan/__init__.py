"""Which cells there are: scenario × arm × topology, less what the port does not declare that it can do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import UNSET

from compat.model.cell import ROLES, Arm, Cell
from compat.model.scenario import Role, Scenario, Throw, TopologyName
from compat.protocol.messages import Capabilities


@dataclass(frozen=True)
class Plan:
    """`cells` to run, each scenario's oracle cell before its arms; `not_applicable` cells with the reason."""

    cells: tuple[Cell, ...] = ()
    not_applicable: dict[Cell, str] = field(default_factory=dict)


def needs(scenario: Scenario) -> dict[Role, set[str]]:
    """What each role must be able to do, as `group.name` (`queue.add`, `processor.progress`, `clock`)."""
    wanted: dict[Role, set[str]] = {"producer": set(), "worker": set()}
    for spec in scenario.objects.values():
        wanted[spec.player].add(f"{spec.kind}.open")
    for step in scenario.steps:
        if step.add is not None:
            wanted[scenario.objects[step.add.on].player].add("queue.add")
        if step.bulk is not None:
            wanted[scenario.objects[step.bulk.on].player].add("queue.addBulk")
        if step.call is not None and step.call.on is not None:
            spec = scenario.objects[step.call.on]
            wanted[spec.player].add(f"{spec.kind}.{step.call.method}")
        if step.call is not None and step.call.job is not None:
            role = scenario.objects[step.call.job.on].player if not isinstance(step.call.job, str) else "producer"
            wanted[role].add(f"job.{step.call.method}")
        if step.sweep is not None:
            wanted["worker"].add("worker.sweep")
        if step.advance is not None:
            wanted["producer"].add("clock")
            wanted["worker"].add("clock")
    for rule in scenario.program:
        wanted["worker"] |= {
            f"processor.{action.__struct_encode_fields__[index]}"
            for action in rule.do
            for index, name in enumerate(action.__struct_fields__)
            if getattr(action, name) is not UNSET
        }
        if rule.then.die is not UNSET:
            wanted["worker"].add("processor.die")
        if isinstance(rule.then.throw, Throw) and rule.then.throw.type != "error":
            wanted["worker"].add(f"processor.{rule.then.throw.type}")
    return wanted


def declared(capabilities: Capabilities) -> set[str]:
    """What a driver declares, in the same form."""
    names = {
        f"{group}.{name}"
        for group in ("queue", "job", "worker", "processor", "flow", "scheduler", "events")
        for name in getattr(capabilities, group)
    }
    return names | {flag for flag in ("clock", "cluster") if getattr(capabilities, flag)}


def cells(
    scenarios: Iterable[Scenario],
    arms: Iterable[Arm],
    topologies: Iterable[TopologyName],
    capabilities: Capabilities,
) -> Plan:
    """All cells, in the order in which they are best begun."""
    arms, topologies, offered = tuple(arms), tuple(topologies), declared(capabilities)
    chosen: list[Cell] = []
    not_applicable: dict[Cell, str] = {}
    for scenario in scenarios:
        wanted = needs(scenario)
        for topology in topologies:
            if topology not in scenario.topologies:
                continue
            mine: list[Cell] = []
            for arm in arms:
                if arm == "oracle" or arm not in scenario.arms:
                    continue
                cell = Cell(scenario.id, arm, topology)
                roles: list[Role] = [role for role in ("producer", "worker") if "port" in ROLES[arm][role]]
                missing = {need for role in roles for need in wanted[role]} - offered
                if topology == "cluster":
                    missing |= {"cluster"} - offered
                if missing:
                    not_applicable[cell] = f"the driver does not declare {', '.join(sorted(missing))}"
                else:
                    mine.append(cell)
            if mine:
                chosen += [mine[0].oracle, *mine]
    return Plan(tuple(chosen), not_applicable)
