"""MessagePack as BullMQ's scripts read it: they know neither the binary nor the extension types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgpack  # type: ignore[import-untyped]

from bullmq_ref.jsjson import Undefined, epoch_ms, key, utf8

_SHORT = 64  # UTF-16 units: shorter texts keep lone surrogates as three bytes, longer ones get U+FFFD, as in Node
_ATOMS = frozenset({str, bool, float, bytes, type(None)})
_NAMES = frozenset({str})

_pack = msgpack.Packer(use_bin_type=False, autoreset=True).pack
_pack_surrogates = msgpack.Packer(use_bin_type=False, unicode_errors="surrogatepass", autoreset=True).pack


def pack(value: Any) -> bytes:
    """`value` packed. `undefined` becomes nil, which vanishes from a map; a datetime becomes its ms."""
    try:
        packed: bytes = _pack(value) if _is_plain(value) else _pack_surrogates(_plain(value))
    except UnicodeEncodeError:
        packed = _pack_surrogates(_plain(value))
    return packed


def _is_plain(value: Any) -> bool:
    """Whether the packer writes `value` as it should be, lone surrogates aside (for certain)."""
    kind = type(value)
    if kind is dict:
        return _NAMES.issuperset(map(type, value)) and _are_plain(value.values())
    if kind is int:
        return bool(-(2**63) <= value < 2**63)
    return _are_plain(value) if kind is list or kind is tuple else kind in _ATOMS


def _are_plain(values: Iterable[Any]) -> bool:
    for value in values:  # noqa: SIM110  # a generator costs more, and every script's arguments come through here
        if type(value) not in _ATOMS and not _is_plain(value):
            return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _text(value)
    if value is None or isinstance(value, bool | float | bytes):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else float(value)
    if isinstance(value, Mapping):
        return {_plain(key(k)): _plain(v) for k, v in value.items() if not isinstance(v, Undefined)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Undefined):
        return None
    if isinstance(value, datetime):
        return epoch_ms(value)
    raise TypeError(f"An option cannot hold a {type(value).__name__}")


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        units = text.encode("utf-16-le", "surrogatepass")
        return units.decode("utf-16-le", "surrogatepass") if len(units) < 2 * _SHORT else utf8(text).decode()
    return text
