"""The messages of `bullmq-compat/1`: JSON-RPC 2.0, one UTF-8 object a line, in both directions."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType, field

from compat.model.history import Implementation
from compat.model.program import Action, End

PROTOCOL = "bullmq-compat/1"
TELLERS = ("worker", "events")  # the kinds of objects that tell of events of their own accord
LINE_LIMIT = 16 * 1024 * 1024  # bytes

#: JSON-RPC error codes a driver answers with.
RAISED = -32000  # the port raised: `data.bullmq` holds the symbol
NOT_IMPLEMENTED = -32601
UNSUPPORTED_OPTION = -32602
ENVIRONMENT = -32001
DRIVER = -32002
LATE = -32003


class ErrorData(Struct, frozen=True, omit_defaults=True):
    bullmq: str = "unclassified"
    message: str = ""


class RpcError(Struct, frozen=True, omit_defaults=True):
    code: int
    message: str = ""
    data: ErrorData | None = None


class Envelope(Struct, frozen=True, omit_defaults=True):
    """Any line: a request (`id`, `method`), a notification (`method`), or an answer (`id`, `result` or `error`)."""

    jsonrpc: str = "2.0"
    id: int | str | None = None
    method: str | UnsetType = UNSET
    params: Raw | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: RpcError | UnsetType = UNSET


class Capabilities(Struct, frozen=True, omit_defaults=True):
    """What a driver can do; a scenario that needs more is not applicable to it.

    `queue`, `job`, `worker`, `events`, `producer`, `flow`: methods by name (without the group). `event` among those of
    `worker` and `events`: it passes on what such an object tells its listeners (`worker.event`, `queue.event`), and
    that is compared with what Node's tells. `processor`: the actions and ends it can play: `progress`, `log`,
    `updateData`, `extendLock`, `spin`, `gate`, `unrecoverable`, `delayed`, `waiting`, `waitingChildren`, `rateLimit`,
    `nonError`, `die`. (`return` and a plain error are taken for granted.) `scheduler`: what can be asked of one:
    `every`, `pattern`, `repeat` (repeatable jobs), `repeatStrategy`.
    """

    queue: tuple[str, ...] = ()
    job: tuple[str, ...] = ()
    worker: tuple[str, ...] = ()
    processor: tuple[str, ...] = ()
    flow: tuple[str, ...] = ()
    scheduler: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    producer: tuple[str, ...] = ()
    clock: bool = False
    cluster: bool = False


class Hello(Struct, frozen=True, omit_defaults=True):
    """Parameters of `initialize`."""

    protocol: str
    bullmq: str  # the version the oracle speaks


class Welcome(Implementation, frozen=True, omit_defaults=True, rename="camel"):
    """The answer to `initialize`."""

    protocol: str = ""
    serial: bool = False  # one call at a time: it cannot add while a processor call is held
    capabilities: Capabilities = Capabilities()


class Redis(Struct, frozen=True, omit_defaults=True):
    """How to reach the server of one scenario. In Cluster `nodes` are addresses to start from, not all there are."""

    topology: str  # "single" | "cluster"
    nodes: tuple[tuple[str, int], ...]
    username: str | None = None
    password: str | None = None
    tls: bool = False
    db: int = 0


class Begin(Struct, frozen=True, omit_defaults=True):
    """Parameters of `scenario.begin`: from here to `scenario.end` every object belongs to this scenario."""

    id: str
    prefix: str
    redis: Redis


class ProcessorCall(Struct, frozen=True):
    """Parameters of `processor.call`, from the driver: what shall this attempt do?"""

    worker: str
    job: dict[str, Any]
    token: str = ""


class GateCall(Struct, frozen=True):
    """Parameters of `processor.gate`, from the driver, when a `gate` action is reached; answered when it opens."""

    worker: str
    job: str
    gate: str


class ProcessorAnswer(Struct, frozen=True, omit_defaults=True):
    end: End
    do: tuple[Action, ...] = ()


class ObjectEvent(Struct, frozen=True, omit_defaults=True):
    """Parameters of `worker.event` and `queue.event`, notifications from the driver."""

    object: str = field(name="on")
    event: str = ""
    job: str = ""
    args: dict[str, Any] = field(default_factory=dict)
