"""A cell: one scenario in one arm on one topology; and its two sides."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from compat.model.scenario import Role, TopologyName

Arm = Literal["oracle", "self", "produce", "consume", "shadow"]
Side = Literal["oracle", "port"]

#: Which side plays which role. In `shadow` both play both, and laws judge.
ROLES: dict[Arm, dict[Role, tuple[Side, ...]]] = {
    "oracle": {"producer": ("oracle",), "worker": ("oracle",)},
    "self": {"producer": ("port",), "worker": ("port",)},
    "produce": {"producer": ("port",), "worker": ("oracle",)},
    "consume": {"producer": ("oracle",), "worker": ("port",)},
    "shadow": {"producer": ("oracle", "port"), "worker": ("oracle", "port")},
}


class Cell(Struct, frozen=True, order=True):
    """Scenario × arm × topology: what is run, judged and reported on its own."""

    scenario: str
    arm: Arm
    topology: TopologyName

    @property
    def id(self) -> str:
        return f"{self.scenario}[{self.arm},{self.topology}]"

    @property
    def oracle(self) -> Cell:
        """The cell this one is compared with."""
        return Cell(self.scenario, "oracle", self.topology)
