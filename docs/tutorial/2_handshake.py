"""A driver that can shake hands, and claims more than it can do."""

import json
import sys

WELCOME = {
    "protocol": "bullmq-compat/1",
    "name": "tutorial",
    "version": "0.1",
    "language": "python",
    "bullmq": "5.62.0",
    "capabilities": {"queue": ["open", "addd"]},
}

for line in sys.stdin:
    call = json.loads(line)
    result = WELCOME if call["method"] == "initialize" else None
    print(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result}), flush=True)
    if call["method"] == "shutdown":
        break
