"""The fields of a job's hash, each with its one codec: no field is read in two ways."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Codec(Enum):
    """How a text in Redis is to be read."""

    RAW = "the text itself"
    NUMBER = "a number in decimal"
    INSTANT = "milliseconds since the epoch, from a client's clock"
    CLIENT_JSON = "JSON text as the client wrote it"
    REDIS_JSON = "JSON text that a script's cjson wrote; its keys have no order"
    TRACES = "a JSON array of stack traces"


FIELDS: Final[dict[str, Codec]] = {
    "name": Codec.RAW,
    "data": Codec.CLIENT_JSON,
    "opts": Codec.REDIS_JSON,
    "timestamp": Codec.INSTANT,
    "delay": Codec.NUMBER,
    "priority": Codec.NUMBER,
    "parentKey": Codec.RAW,
    "parent": Codec.REDIS_JSON,
    "rjk": Codec.RAW,
    "deid": Codec.RAW,
    "processedOn": Codec.INSTANT,
    "pb": Codec.RAW,
    "ats": Codec.NUMBER,
    "atm": Codec.NUMBER,
    "stc": Codec.NUMBER,
    "defa": Codec.RAW,
    "returnvalue": Codec.CLIENT_JSON,
    "failedReason": Codec.RAW,
    "stacktrace": Codec.TRACES,
    "finishedOn": Codec.INSTANT,
    "progress": Codec.CLIENT_JSON,
    "nrjid": Codec.RAW,
    "tm": Codec.RAW,
}
