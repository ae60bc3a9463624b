#!/usr/bin/env node
/**
 * A driver: bullmq-compat tells it on standard input, one JSON object a line, what to do with the port.
 *
 *     ./driver.mjs                  serve on standard input and output
 *     ./driver.mjs --listen 9229    wait for `--impl attach:127.0.0.1:9229`, under a debugger
 *
 * Standard output is the protocol's alone: log with console.error.
 */

import { createServer } from "node:net";
import { createInterface } from "node:readline";

// import { Queue } from "my-port";

/** The port raised. `symbol` is BullMQ's error: `bullmq-compat schema protocol` lists them. */
class Raised extends Error {
  constructor(text, symbol = "unclassified") {
    super(text);
    this.symbol = symbol;
  }
}

/** Methods of the protocol, by name: what stands here is declared in `capabilities` by itself. */
const METHODS = {
  // "queue.open": async (driver, { as, name }) => {
  //   const { nodes, username, password } = driver.scenario.redis;
  //   const [host, port] = nodes[0];
  //   driver.objects.set(as, new Queue(name, { prefix: driver.scenario.prefix, host, port, username, password }));
  // },
  // "queue.add": async (driver, { on, name, data, opts }) => {
  //   const job = await driver.objects.get(on).add(name, data, opts);
  //   return { id: job.id, name: job.name, data: job.data };
  // },
  //
  // In the port's processor: what shall this attempt do?
  //   const { end } = await driver.ask("processor.call", { worker, job: { id, name, data }, token });
  //   return end.return, or throw what end.throw says
};

/** One conversation with the harness. */
class Driver {
  objects = new Map(); // what is open in this scenario, by the name the harness gave it
  scenario = {}; // id, prefix, redis
  #asked = new Map();
  #number = 0;
  #output;

  constructor(input, output) {
    this.#output = output;
    createInterface({ input, crlfDelay: Infinity })
      .on("line", (line) => this.#take(JSON.parse(line)))
      .on("close", () => this.end());
  }

  /** Close everything that is open. */
  async end() {
    const objects = [...this.objects.values()];
    this.objects.clear();
    await Promise.all(objects.map((object) => object.close()));
  }

  /** Ask the harness (`processor.call`, `processor.gate`); its answer. */
  ask(method, params) {
    const id = ++this.#number;
    this.#write({ id, method, params });
    return new Promise((resolve) => this.#asked.set(id, resolve));
  }

  /** Tell the harness (`worker.event`, `queue.event`). */
  tell(method, params) {
    this.#write({ method, params });
  }

  #life = {
    initialize: () => welcome(),
    ping: () => null,
    "scenario.begin": (params) => void (this.scenario = params),
    "scenario.end": () => this.end(),
    shutdown: () => this.end(),
  };

  async #take(message) {
    if (message.method === undefined) {
      this.#asked.get(message.id)(message.result);
      this.#asked.delete(message.id);
      return;
    }
    this.#write({ id: message.id, ...(await this.#answer(message)) });
    if (message.method === "shutdown") process.exit(0);
  }

  async #answer({ method, params = {} }) {
    try {
      if (method in this.#life) return { result: (await this.#life[method](params)) ?? null };
      if (!(method in METHODS)) return { error: { code: -32601, message: `${method} is not implemented` } };
      return { result: (await METHODS[method](this, params)) ?? null };
    } catch (error) {
      if (!(error instanceof Raised)) return { error: { code: -32002, message: String(error) } };
      const data = { bullmq: error.symbol, message: error.message };
      return { error: { code: -32000, message: error.message, data } };
    }
  }

  #write(message) {
    this.#output.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
  }
}

function welcome() {
  const offered = {};
  for (const name of Object.keys(METHODS)) {
    const [group, own] = name.split(".");
    (offered[group] ??= []).push(own);
  }
  return {
    protocol: "bullmq-compat/1",
    name: "my-port",
    version: "0.0.1",
    language: "javascript",
    bullmq: "5.62.0", // the BullMQ version that the port claims to speak
    capabilities: { ...offered, processor: [], clock: false, cluster: false },
  };
}

const listen = process.argv.indexOf("--listen");
if (listen > 0) {
  createServer((socket) => new Driver(socket, socket)).listen(Number(process.argv[listen + 1]), "127.0.0.1");
} else {
  new Driver(process.stdin, process.stdout);
}
