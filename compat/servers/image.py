"""The image: what a container runs, made from an installed server where no registry is within reach."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import docker  # type: ignore[import-untyped]
from docker.errors import DockerException, ImageNotFound  # type: ignore[import-untyped]

from compat.servers.binary import Binary, find_binary
from compat.servers.errors import ServerError

VARIABLE = "REDIS_IMAGE"
DEFAULT = "redis:7.4-alpine"


def find_image() -> str:
    """The image to run: $REDIS_IMAGE, else on Linux one made from the installed server, else `DEFAULT`."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    return make_image(find_binary()) if sys.platform == "linux" else DEFAULT


def make_image(binary: Binary) -> str:
    """Import the binary with its libraries and its command line tool, if that lies beside it, into the Docker engine.

    Returns the image's name, which holds flavour and version; one that is there already is taken. Raises `ServerError`
    if the engine does not answer or does not take it.
    """
    name = f"bullmq-compat/{binary.flavour}"
    try:
        client = docker.from_env()
        try:
            try:
                client.images.get(f"{name}:{binary.version}")
            except ImageNotFound:
                client.api.import_image_from_data(
                    archive(binary), repository=name, tag=binary.version, changes=["WORKDIR /data"]
                )
        finally:
            client.close()
    except DockerException as error:
        raise ServerError(
            f"no image could be made of {binary.path}: {error}",
            expected="a Docker engine that imports it",
            remedy=f"see `docker info`, or name an image in ${VARIABLE}",
        ) from error
    return f"{name}:{binary.version}"


def archive(binary: Binary) -> bytes:
    """A root file system, as a tar: `redis-server`, `redis-cli` if there is one, what they load, `/data` and `/tmp`.

    The same binary always gives the same bytes.
    """
    files = {"/usr/local/bin/redis-server": binary.path}
    tool = binary.path.with_name(binary.path.name.replace("-server", "-cli"))
    if tool != binary.path and tool.is_file():
        files["/usr/local/bin/redis-cli"] = tool
    for path in tuple(files.values()):
        files |= {str(library): library for library in libraries(path)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("data", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(entry)
        for inside, path in sorted(files.items()):
            content = path.read_bytes()
            entry = tarfile.TarInfo(inside.lstrip("/"))
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def libraries(path: Path) -> tuple[Path, ...]:
    """The shared libraries that a program loads, and its loader, as `ldd` lists them."""
    said = subprocess.run(["ldd", path], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL).stdout
    return tuple(Path(found) for found in re.findall(r"(?:=> |^\s*)(/\S+) \(0x", said, flags=re.MULTILINE))
