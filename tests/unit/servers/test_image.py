"""What an image made of an installed server holds."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import pytest

from compat.servers import find_binary
from compat.servers.binary import Binary
from compat.servers.image import archive, libraries

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="images are made of Linux binaries")


def test_an_image_holds_the_server_and_all_it_loads() -> None:
    binary = find_binary()
    with tarfile.open(fileobj=io.BytesIO(archive(binary))) as tar:
        names = {f"/{name}" for name in tar.getnames()}
        server = tar.extractfile("usr/local/bin/redis-server")
        assert server
        assert server.read() == binary.path.read_bytes()
    assert {str(library) for library in libraries(binary.path)} < names
    assert any("/ld-" in name for name in names)
    assert {"/data", "/tmp"} < names


def test_the_tool_beside_the_server_comes_along(tmp_path: Path) -> None:
    for name in ("valkey-server", "valkey-cli"):
        (tmp_path / name).write_bytes(name.encode())
    with tarfile.open(fileobj=io.BytesIO(archive(Binary(tmp_path / "valkey-server", "valkey", "9.0.0")))) as tar:
        tool = tar.extractfile("usr/local/bin/redis-cli")
        assert tool
        assert tool.read() == b"valkey-cli"


def test_the_same_binary_gives_the_same_image(tmp_path: Path) -> None:
    (tmp_path / "redis-server").write_bytes(b"x")
    binary = Binary(tmp_path / "redis-server", "redis", "7.0.0")
    assert archive(binary) == archive(binary)
