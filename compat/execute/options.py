"""Options: what a run is asked to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compat.compare.golden import Golden
from compat.drivers.implementations import NODE_TARGET
from compat.judge.baseline import Baseline
from compat.model.cell import Arm, Cell
from compat.model.history import History
from compat.model.scenario import Scenario, TopologyName
from compat.model.verdict import Level
from compat.plan import Shard

ARMS: tuple[Arm, ...] = ("self", "produce", "consume", "shadow")


@dataclass(frozen=True)
class Options:
    """What to run. `jobs`: how many cells at once; None: as many as the machine bears.

    With a `golden`, recorded results stand for the oracle: no Node is started, and only the arm `self` can be played.
    `durations` (seconds by cell, of an earlier run) weigh the cells of a `shard`. `keep` is handed the history of every
    oracle cell that is sound. `retry`: how often a cell in trouble is tried again, with its oracle's cell. `trace`:
    cells in trouble are played again under MONITOR.
    """

    scenarios: tuple[Scenario, ...]
    arms: tuple[Arm, ...] = ARMS
    topologies: tuple[TopologyName, ...] = ("single", "cluster")
    implementation: str = "ref"
    server: str = "embedded"
    jobs: int | None = None
    gate: Level = "encoding"
    fail_fast: bool = False
    repeat: int = 1
    retry: int = 0
    oracle: str = f"node@{NODE_TARGET}"
    golden: Golden | None = None
    golden_name: str = ""
    known: Baseline | None = None
    shard: Shard | None = None
    durations: Mapping[Cell, float] = field(default_factory=dict)
    trace: bool = False
    keep: Callable[[Scenario, History], None] | None = None
    transcripts: Path | None = None  # a folder for what the drivers and the harness say to each other
    limits: tuple[str, ...] = ()  # for the record: what a green run does not claim
