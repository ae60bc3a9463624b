"""Versions of Node's BullMQ beside the oracle's."""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from compat.drivers import Driver, ImplementationError, command_for
from compat.ports.versions import LOCKS, package, versions
from compat.servers import Server


def test_the_versions_are_those_that_have_a_lock_file_oldest_first() -> None:
    assert versions() == ("5.81.5", "6.7.0")


def test_a_lock_file_names_no_registry() -> None:
    for file in LOCKS.glob("*/package-lock.json"):
        assert '"resolved"' not in file.read_text(encoding="utf-8"), file


def test_a_version_is_installed_once_even_when_two_ask_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: package("6.7.0", tmp_path), range(2))
    assert first == second
    manifest = first / "package.json"
    assert msgspec.json.decode(manifest.read_bytes())["version"] == "6.7.0"
    made = manifest.stat().st_ino
    assert package("6.7.0", tmp_path) == first
    assert manifest.stat().st_ino == made


def test_a_version_that_was_not_finished_is_installed_anew(tmp_path: Path) -> None:
    left = tmp_path / "node-6.7.0" / "left-over"
    left.parent.mkdir()
    left.touch()
    assert (package("6.7.0", tmp_path) / "package.json").exists()
    assert not left.exists()


@pytest.mark.parametrize("version", ["5.0.0", "../..", "6.7.0;x"])
def test_a_version_without_a_lock_file_is_refused_with_those_there_are(version: str, tmp_path: Path) -> None:
    with pytest.raises(ImplementationError, match=r"there are: node@5\.81\.5, node@6\.7\.0"):
        package(version, tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_a_registry_it_is_said_what_was_tried_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = tmp_path / "versions"
    shutil.copytree(LOCKS / "6.7.0", locks / "6.7.0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_offline", "true")
    with pytest.raises(
        ImplementationError, match=r"bullmq 6\.7\.0 could not be installed for Node; npm needs"
    ) as raised:
        package("6.7.0", tmp_path / "state", locks)
    assert "ended with exit code" in str(raised.value)


@pytest.mark.parametrize("version", versions())
async def test_the_driver_serves_each_version(version: str, server: Server, prefix: str) -> None:
    """Opening a queue waits until its `meta` is written, whoever owns the connection in that version."""
    driver = await Driver.launch(await asyncio.to_thread(command_for, f"node@{version}"), bullmq="5.62.0")
    try:
        assert driver.welcome.version == version
        await server.add_user(prefix, "s3cret", prefix)
        redis = msgspec.to_builtins(server.address(prefix, "s3cret"))
        await driver.call("scenario.begin", {"id": "test", "prefix": prefix, "redis": redis})
        await driver.call("queue.open", {"as": "q", "name": "mail"})
        key = f"{prefix}:mail:meta"
        meta = await server.client(server.owner(key)).hgetall(key)
        assert meta[b"version"] == f"bullmq:{version}".encode()
        await driver.call("scenario.end")
    finally:
        await driver.close()
        await server.remove_user(prefix)
        await server.delete_prefix(prefix)
