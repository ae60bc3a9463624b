"""Faults that the servers of a run cannot suffer are known before anything is played."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from compat.execute.options import Options
from compat.execute.ready import spared
from compat.model.scenario import Scenario
from compat.servers import Server

Variant = Callable[..., Scenario]


@pytest.fixture
def moved(variant: Variant) -> tuple[Scenario, ...]:
    steps = [{"fault": {"kind": "slot-moved"}}, {"mend": "slot-moved"}]
    return (variant(steps=steps, topologies=["cluster"], needs=["own-server"]),)


def binary(folder: Path, flavour: str, version: str = "9.0.1") -> str:
    path = folder / "some-server"
    path.write_text(f"#!/bin/sh\necho '{flavour} server v={version} sha=0:0'\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(("flavour", "kinds"), [("Valkey", set()), ("Redis", {"slot-moved"})])
def test_only_valkey_9_moves_a_slot_at_once(
    moved: tuple[Scenario, ...], tmp_path: Path, flavour: str, kinds: set[str]
) -> None:
    found = spared(Options(moved, server=binary(tmp_path, flavour)), {})
    assert set(found) == kinds
    assert all("redis 9.0.1 moves slots key by key" in why for why in found.values())


def test_redis_before_7_does_not_answer_while_it_loads(variant: Variant, tmp_path: Path) -> None:
    scenario = variant(steps=[{"fault": {"kind": "loading"}}, {"mend": "loading"}], topologies=["single"])
    old = spared(Options((scenario,), server=binary(tmp_path, "Redis", "6.2.14")), {})
    assert old["loading"].startswith("redis 6.2.14 answers nothing while it loads")
    assert "loading" not in spared(Options((scenario,), server=binary(tmp_path, "Redis", "7.0.15")), {})


def test_a_container_does_not_load_slowly(moved: tuple[Scenario, ...]) -> None:
    server = Server("cluster", (), "redis 7.4.1, in containers, 3 masters", "7.4.1", own=True)
    found = spared(Options(moved, server="container:redis:7.4-alpine"), {"cluster": server})
    assert "starts again as it was made" in found["loading"]
    assert found["slot-moved"].startswith("redis 7.4.1 moves slots key by key")


def test_a_run_without_faults_asks_for_no_server(variant: Variant) -> None:
    assert spared(Options((variant(),), server="no-such-server"), {}) == {}
