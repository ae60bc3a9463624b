"""A driver that misbehaves on request: `puppet.py MODE`. The standard library alone."""

import json
import os
import signal
import subprocess
import sys
import time

MODE = sys.argv[1]
WELCOME = {
    "protocol": "bullmq-compat/1",
    "name": "puppet",
    "version": "1.0",
    "language": "python",
    "bullmq": "5.62.0",
    "capabilities": {"queue": ["open", "close", "add"], "cluster": True},
}


def say(message: object) -> None:
    print(json.dumps(message), flush=True)


def answer(request: dict, result: object = None) -> None:
    say({"jsonrpc": "2.0", "id": request["id"], "result": result})


def initialize(request: dict) -> None:
    match MODE:
        case "exits":
            print("no module named bullmq", file=sys.stderr, flush=True)
            sys.exit(7)
        case "greets":
            print("Hello, world!", flush=True)
        case "old-protocol":
            answer(request, WELCOME | {"protocol": "bullmq-compat/0"})
        case "shapeless":
            answer(request, {"hello": True})
        case "mirrors":
            say(request)
        case "refuses":
            say({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": "not today"}})
        case _:
            answer(request, WELCOME)


def call(request: dict) -> None:
    method = request["method"]
    match MODE:
        case "rubbish":
            print("{'id': 1}", flush=True)
        case "not-an-object":
            print("[1, 2]", flush=True)
        case "hangs":
            time.sleep(3600)
        case "dies":
            print("about to crash", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        case "dies-at-end" if method == "scenario.end":
            os.kill(os.getpid(), signal.SIGKILL)
        case "gates-nothing" if method == "queue.add":
            params = {"worker": "w", "job": "1", "gate": "g"}
            say({"jsonrpc": "2.0", "id": "p1", "method": "processor.gate", "params": params})
        case "leaves":
            sys.exit(3)
        case "answers-twice":
            answer(request, 1)
            answer(request, 2)
        case "answers-another":
            say({"jsonrpc": "2.0", "id": 99_999, "result": None})
        case "no-result":
            say({"jsonrpc": "2.0", "id": request["id"]})
        case "undeclared":
            say({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32601, "message": f"no {method}"}})
        case "raises":
            data = {"bullmq": "JobNotExist", "message": "Missing key for job 7. retry"}
            say({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": "x", "data": data}})
        case "raises-nameless":
            say({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": "TypeError"}})
        case "floods":
            for _ in range(20_000):
                print("x" * 100, file=sys.stderr)
            print("y" * 300_000, end="", file=sys.stderr, flush=True)
            answer(request, "still here")
        case "long-line":
            answer(request, "z" * (5 * 1024 * 1024))
        case "asks":
            say(
                {
                    "jsonrpc": "2.0",
                    "id": "p1",
                    "method": "processor.call",
                    "params": {"worker": "w", "job": {"id": "1"}},
                }
            )
            reply = json.loads(sys.stdin.readline())
            answer(request, reply)
        case "asks-badly":
            say({"jsonrpc": "2.0", "id": "p1", "method": "processor.call", "params": {"job": 1}})
        case "tells-nonsense":
            answer(request, {"id": {"$int": "many"}})
        case "tells-too-much":
            print(f'{{"jsonrpc": "2.0", "id": {request["id"]}, "result": 1e999}}', flush=True)
        case "tells-too-deep":
            answer(request, json.loads("[" * 500 + "]" * 500))
        case "nests-without-end":
            print("[" * 100_000, flush=True)
        case "shouts":
            say({"jsonrpc": "2.0", "method": "worker.event", "params": {"args": {"a": {"$number": "many"}}}})
        case "mumbles":
            say({"jsonrpc": "2.0", "method": "worker.event", "params": [1]})
        case "child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
            answer(request, child.pid)
        case _:
            answer(request, request.get("params"))


held: list[dict] = []
for line in sys.stdin:
    message = json.loads(line)
    if message["method"] == "initialize":
        initialize(message)
    elif message["method"] == "shutdown" and MODE != "hangs":
        answer(message)
        break
    elif MODE == "reversed":
        held.append(message)
        if len(held) == 3:
            for request in reversed(held):
                answer(request, request["params"])
    else:
        call(message)
if MODE == "ignores-terminate":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(3600)
