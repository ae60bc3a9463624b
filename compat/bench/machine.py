"""Where it is measured."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from compat.bench.records import Machine
from compat.drivers.places import node_binary
from compat.servers.binary import Binary


def machine(server: Binary) -> Machine:
    """This one, now."""
    node = subprocess.run([node_binary(), "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        server=f"{server.flavour} {server.version}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        node=node.lstrip("v") or "unknown",
        date=datetime.now(UTC).date().isoformat(),
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
