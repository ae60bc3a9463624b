#!/usr/bin/env python3
"""A driver: bullmq-compat tells it on standard input, one JSON object a line, what to do with the port.

    ./driver.py                  serve on standard input and output
    ./driver.py --listen 9229    wait for `--impl attach:127.0.0.1:9229`, under a debugger

Standard output is the protocol's alone: print to sys.stderr.
"""

import asyncio
import itertools
import json
import sys

# import my_port

METHODS = {}


def method(name):
    """Offer a method of the protocol: what is offered is declared in `capabilities` by itself."""

    def offer(function):
        METHODS[name] = function
        return function

    return offer


class Raised(Exception):
    """The port raised. `symbol` is BullMQ's error: `bullmq-compat schema protocol` lists them."""

    def __init__(self, text, symbol="unclassified"):
        super().__init__(text)
        self.symbol = symbol


class Driver:
    """One conversation with the harness."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.objects = {}  # what is open in this scenario, by the name the harness gave it
        self.scenario = {}  # id, prefix, redis
        self.asked = {}
        self.numbers = itertools.count(1)
        self.tasks = set()

    # --- your port ---------------------------------------------------------------------------------------------------

    # @method("queue.open")
    # async def open_queue(self, p):
    #     redis = self.scenario["redis"]
    #     host, port = redis["nodes"][0]
    #     where = {"host": host, "port": port, "username": redis.get("username"), "password": redis.get("password")}
    #     self.objects[p["as"]] = my_port.Queue(p["name"], prefix=self.scenario["prefix"], **where)
    #
    # @method("queue.add")
    # async def add(self, p):
    #     job = await self.objects[p["on"]].add(p["name"], p.get("data"), p.get("opts") or {})
    #     return {"id": job.id, "name": job.name, "data": job.data}
    #
    # In the port's processor: what shall this attempt do?
    #     job = {"id": …, "name": …, "data": …}
    #     answer = await self.ask("processor.call", {"worker": name, "job": job, "token": …})
    #     return answer["end"]["return"], or raise what answer["end"]["throw"] says

    async def end(self):
        """Close everything that is open."""
        objects, self.objects = self.objects, {}
        for opened in objects.values():
            await opened.close()

    # --- the protocol ------------------------------------------------------------------------------------------------

    async def handle(self, name, p):
        if name == "initialize":
            return self.welcome()
        if name == "ping":
            return None
        if name == "scenario.begin":
            self.scenario = p
            return None
        if name in ("scenario.end", "shutdown"):
            await self.end()
            return None
        return await METHODS[name](self, p)

    @staticmethod
    def welcome():
        offered = {}
        for name in METHODS:
            group, _, own = name.partition(".")
            offered.setdefault(group, []).append(own)
        return {
            "protocol": "bullmq-compat/1",
            "name": "my-port",
            "version": "0.0.1",
            "language": "python",
            "bullmq": "5.62.0",  # the BullMQ version that the port claims to speak
            "capabilities": {**offered, "processor": [], "clock": False, "cluster": False},
        }

    async def ask(self, name, params):
        """Ask the harness (`processor.call`, `processor.gate`); its answer."""
        number = next(self.numbers)
        self.asked[number] = answer = asyncio.get_running_loop().create_future()
        self.write({"id": number, "method": name, "params": params})
        return await answer

    def tell(self, name, params):
        """Tell the harness (`worker.event`, `queue.event`)."""
        self.write({"method": name, "params": params})

    def write(self, message):
        self.writer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def serve(self):
        while line := await self.reader.readline():
            message = json.loads(line)
            if "method" not in message:
                answer = self.asked.pop(message["id"])
                if not answer.done():  # whoever asked may have been cancelled
                    answer.set_result(message.get("result"))
            elif message["method"] == "shutdown":
                await self.answer(message)
                break
            else:  # calls are answered in whatever order they end
                task = asyncio.ensure_future(self.answer(message))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
        await self.end()
        self.writer.close()

    async def answer(self, message):
        known = ("initialize", "ping", "scenario.begin", "scenario.end", "shutdown", *METHODS)
        if message["method"] not in known:
            reply = {"error": {"code": -32601, "message": f"{message['method']} is not implemented"}}
        else:
            try:
                reply = {"result": await self.handle(message["method"], message.get("params") or {})}
            except Raised as error:
                data = {"bullmq": error.symbol, "message": str(error)}
                reply = {"error": {"code": -32000, "message": str(error), "data": data}}
            except Exception as error:
                reply = {"error": {"code": -32002, "message": f"{type(error).__name__}: {error}"}}
        self.write({"id": message["id"], **reply})


async def main():
    if "--listen" in sys.argv:
        port = int(sys.argv[sys.argv.index("--listen") + 1])
        server = await asyncio.start_server(lambda r, w: Driver(r, w).serve(), "127.0.0.1", port, limit=2**24)
        await server.serve_forever()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    await Driver(reader, asyncio.StreamWriter(transport, protocol, reader, loop)).serve()


if __name__ == "__main__":
    asyncio.run(main())
