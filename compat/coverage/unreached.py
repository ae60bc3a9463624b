"""Lines of the 49 scripts that no caller of 5.62.0 can reach, each with the reason: they are not counted."""

from __future__ import annotations

from typing import Final

#: Script → line → why no scenario can run it.
UNREACHED: Final[dict[str, dict[int, str]]] = {}
