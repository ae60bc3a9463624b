"""A driver that says yes to everything and does nothing: it must never pass. The standard library alone."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from compat.protocol.methods import EVENTS, FLOW, JOB, PRODUCER, QUEUE, WORKER

CAPABILITIES = {
    "queue": list(QUEUE),
    "job": list(JOB),
    "worker": [*WORKER, "event"],
    "events": [*EVENTS, "event"],
    "flow": list(FLOW),
    "producer": list(PRODUCER),
    "processor": [
        *("progress", "log", "updateData", "extendLock", "spin", "gate", "unrecoverable", "delayed", "waiting"),
        *("waitingChildren", "rateLimit", "nonError", "die"),
    ],
    "scheduler": ["every", "pattern", "repeat", "repeatStrategy"],
    "clock": True,
    "cluster": True,
}
WELCOME = {
    "protocol": "bullmq-compat/1",
    "name": "null",
    "version": "1.0",
    "language": "none",
    "bullmq": "5.62.0",
    "capabilities": CAPABILITIES,
}

for line in sys.stdin:
    request = json.loads(line)
    result = WELCOME if request["method"] == "initialize" else None
    if request["method"] == "queue.add":
        result = {"id": "1", "name": request["params"].get("name"), "data": request["params"].get("data")}
    print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)
    if request["method"] == "shutdown":
        break
