"""Lines of the 49 scripts that nothing in 5.62.0 reaches on a server of the harness, each with the reason."""

from __future__ import annotations

from typing import Final

_NO_CALLER: Final = "no method of 5.62.0 calls this script"
_OLD_REDIS: Final = "5.62.0 calls this script only where Redis is older than 6.0.6; the harness's own server is newer"

#: Script → line → why no scenario can run it.
UNREACHED: Final[dict[str, dict[int, str]]] = {
    "getState": dict.fromkeys(
        (23, 24, 25, 27, 28, 30, 31, 33, 34, 40, 41, 42, 43, 46, 48, 49, 50, 52, 53, 54, 56, 57, 58, 60, 61, 63),
        _OLD_REDIS,
    ),
    "isJobInList": dict.fromkeys((13, 14, 15, 16, 19, 21, 22), _OLD_REDIS),
    "releaseLock": dict.fromkeys((10, 11, 12, 14), _NO_CALLER),
    "saveStacktrace": dict.fromkeys((11, 12, 13, 14, 16), _NO_CALLER),
}
