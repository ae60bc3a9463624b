"""Whether containers can be had here, and if not, why."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.servers import ServerError
from compat.servers.containers import container, docker_answers


def test_no_engine_is_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/s")
    assert docker_answers() == f"no Docker engine answers at {tmp_path}/s: No such file or directory"


def test_an_engine_elsewhere_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine.invalid:2375")
    assert "the Docker engine is on engine.invalid" in str(docker_answers())


async def test_without_an_engine_a_container_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/s")
    with pytest.raises(ServerError, match="start it, or use the embedded server"):
        async with container("single"):
            pass
