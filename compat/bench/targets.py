"""What `bullmq_ref` is to reach, and whether it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compat.bench.summary import Summary

NODE = "node@5.62.0"


@dataclass(frozen=True)
class Target:
    """A bound for one figure of `ref`, or, with `beside`, for its ratio to that peer's (in `beside_workload`, if that
    is another). `warm`: measured over many jobs. `at_least`: the bound is the least, else the most."""

    workload: str
    figure: str
    bound: float
    unit: str = ""
    beside: str | None = None
    beside_workload: str | None = None
    warm: bool = False
    at_least: bool = False

    @property
    def words(self) -> str:
        """`W1 rate, to warm node@5.62.0 ≥ 0.9`."""
        beside = ""
        if self.beside_workload:
            beside = f", to {self.beside_workload}"
        elif self.beside:
            beside = f", to {'warm ' * self.warm}{self.beside}"
        return f"{self.workload} {self.figure}{beside} {'≥' if self.at_least else '≤'} {self.bound:g}{self.unit}"


@dataclass(frozen=True)
class Outcome:
    """A target and the value that was measured."""

    target: Target
    value: float

    @property
    def reached(self) -> bool:
        return self.value >= self.target.bound if self.target.at_least else self.value <= self.target.bound


def _to_node(workload: str, least: float) -> Target:
    return Target(workload, "rate", least, beside=NODE, warm=True, at_least=True)


TARGETS = (
    _to_node("W1", 0.9),
    _to_node("W2", 1.0),
    _to_node("W3", 1.2),
    _to_node("W4", 0.9),
    _to_node("W5", 1.0),
    _to_node("W6", 1.0),
    _to_node("W7", 1.0),
    Target("W8", "p95", 1.0, beside=NODE),
    Target("W9", "p95", 1.0, beside=NODE),
    Target("W2", "rate", 0.8, beside="floor", at_least=True),
    Target("W6", "rate", 0.8, beside="floor", at_least=True),
    Target("W5", "rate", 10, beside="pypi-bullmq@2.17.0", at_least=True),
    Target("W5", "rate", 6, beside="pypi-bullmq@3.4.4", at_least=True),
    Target("W2", "cpu", 30, " µs/job"),
    Target("W5", "cpu", 60, " µs/job"),
    Target("W5", "scripts", 1.02, " a job"),
    Target("W12", "rate", 0.9, beside="ref", beside_workload="W11", at_least=True),
    Target("W5", "peak", 60, " MB", warm=True),
    Target("W5", "growth", 10, " MB", warm=True),
    Target("W5", "tasks", 0),
    Target("W7", "tasks", 0),
    Target("W7", "rate", 1000, "/s", at_least=True),
    Target("W8", "p95", 10, " ms"),
    Target("W9", "p95", 10, " ms"),
    Target("W10", "p95", 100, " ms"),
)


def outcomes(summary: Summary) -> Iterator[Outcome]:
    """Of the targets whose figures were measured."""
    for target in TARGETS:
        if target.beside is None:
            value = summary.figure("ref", target.workload, target.figure, warm=target.warm)
        else:
            value = summary.ratio(
                "ref",
                target.workload,
                target.figure,
                target.beside,
                warm=target.warm,
                beside_workload=target.beside_workload,
            )
        if value is not None:
            yield Outcome(target, value)
