"""The record as JSON lines: a header, an object for each cell, a footer.

Values that JSON cannot hold are written tagged, as in the driver protocol, and stay tagged when read. Text that is not
UTF-8 keeps its bytes: they are written as `\\udcNN` escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import msgspec

from compat.model.history import Implementation
from compat.model.run import CellEntry, Footer, Header, Record
from compat.protocol import values
from compat.report.text import printable, shortened

_HALF = re.compile("[\ud800-\udfff]")


class RecordError(Exception):
    """A file is not a run's record, or not all of one; the text says where, what was expected and what to do."""


def encode(record: Record) -> str:
    """One line, without its end."""
    if isinstance(record, Header):  # a driver's whole welcome may stand there; only who it is belongs to the record
        record = msgspec.structs.replace(record, oracle=_plain(record.oracle), port=_plain(record.port))
    value = values.encode(msgspec.to_builtins(record, builtin_types=(bytes,), enc_hook=values.encode))
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _HALF.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def decode(line: str) -> Record:
    """One line's record. Raises `RecordError`."""
    try:
        record: Record = msgspec.convert(json.loads(line), Record)
        return record
    except (ValueError, RecursionError) as error:
        seen = printable(shortened(line.strip(), 60))
        raise RecordError(f"expected a record of a run, saw {seen!r} ({error})") from None


def read(lines: Iterable[str], name: str = "record", *, whole: bool = True) -> tuple[Record, ...]:
    """All records of one run, checked for their order and number; `name` is the file's, for the errors.

    `whole=False` takes a record that ends early. Raises `RecordError`.
    """
    records: list[Record] = []
    for row, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = decode(line)
        except RecordError as error:
            cut = "" if line.endswith("\n") or not records else "; the file was cut off within this line"
            raise RecordError(f"{name}:{row}: {error}{cut}; make a new one with `run --json FILE`") from None
        if isinstance(record, Header) == bool(records):
            seen = "a second header" if records else f"a {_kind(record)} first"
            raise RecordError(f"{name}:{row}: expected one header, then cells, then a footer; saw {seen}")
        if records and isinstance(records[-1], Footer):
            raise RecordError(f"{name}:{row}: expected nothing after the footer; saw a {_kind(record)}")
        records.append(record)
    if not records:
        raise RecordError(f"{name} is empty; a run writes one with `run --json FILE`")
    if whole:
        _check_end(records, name)
    return tuple(records)


def _check_end(records: list[Record], name: str) -> None:
    header, last = records[0], records[-1]
    cells = sum(isinstance(record, CellEntry) for record in records)
    if not isinstance(last, Footer):
        planned = header.cells if isinstance(header, Header) else 0
        raise RecordError(
            f"{name} ends after {cells} of {planned} cells, without a footer: the run was interrupted or the file was "
            "cut off; run again"
        )
    if last.cells != cells:
        raise RecordError(f"{name} holds {cells} cells where its footer counts {last.cells}; lines are missing")


def _kind(record: Record) -> str:
    return str(type(record).__struct_config__.tag)


def _plain(who: Implementation) -> Implementation:
    return Implementation(**{name: getattr(who, name) for name in Implementation.__struct_fields__})
