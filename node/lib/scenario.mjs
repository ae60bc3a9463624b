/** One scenario's connection and objects: opened by name, all closed at its end. */

import { BAD_PARAMS, RpcError } from "./conversation.mjs";

const PATIENCE = 1000; // ms that the end of a scenario waits for objects to close in order

export class Scenario {
  over = false;
  #library;
  #redis;
  #client;
  #objects = new Map();

  constructor(library, { id, prefix, redis }) {
    this.id = id;
    this.prefix = prefix;
    this.#library = library;
    this.#redis = redis;
  }

  /**
   * The connection that all objects of the scenario share; BullMQ itself duplicates it for what blocks. Commands wait
   * for a lost server as long as it takes: it is the harness that sets deadlines.
   */
  get client() {
    this.#client ??= connect(this.#library.IORedis, this.#redis);
    return this.#client;
  }

  /** Keep `entry` (`{ kind, object, … }`) under `name`. */
  add(name, entry) {
    this.#objects.set(name, { name, jobs: new Map(), ...entry });
    return this.#objects.get(name);
  }

  /** Refuse a name that is in use. */
  mustBeFree(name) {
    if (this.#objects.has(name)) throw new RpcError(BAD_PARAMS, `an object named ${name} is open already`);
  }

  /** The object `name`, of one of `kinds`. */
  get(name, ...kinds) {
    const entry = this.#objects.get(name);
    if (entry === undefined) {
      const open = [...this.#objects.keys()].join(", ") || "none";
      throw new RpcError(BAD_PARAMS, `no object named ${name} is open (open: ${open})`);
    }
    if (!kinds.includes(entry.kind)) {
      throw new RpcError(BAD_PARAMS, `${name} is of kind ${entry.kind}, not ${kinds.join(" or ")}`);
    }
    return entry;
  }

  forget(name) {
    this.#objects.delete(name);
  }

  /** Close everything, workers without waiting for their jobs. Never throws and never waits longer than `PATIENCE`. */
  async end() {
    this.over = true;
    const closing = [...this.#objects.values()].map(async ({ name, kind, object }) => {
      try {
        await (kind === "worker" ? object.close(true) : object.close());
      } catch (error) {
        console.error(`${name} did not close: ${error?.message ?? error}`);
      }
    });
    this.#objects.clear();
    await atMost(PATIENCE, Promise.all(closing));
    if (this.#client !== undefined) await disconnect(this.#client);
  }
}

function connect(IORedis, { topology, nodes, username, password, tls, db }) {
  const options = { username, password, tls: tls ? {} : undefined, maxRetriesPerRequest: null };
  const client =
    topology === "cluster"
      ? new IORedis.Cluster(nodes.map(([host, port]) => ({ host, port })), { redisOptions: options })
      : new IORedis({ ...options, host: nodes[0][0], port: nodes[0][1], db: db ?? 0 });
  client.on("error", (error) => console.error(`redis: ${error.message}`));
  client.setMaxListeners(0);
  return client;
}

async function disconnect(client) {
  if (client.status === "end") return;
  const ended = new Promise((resolve) => client.once("end", resolve));
  client.disconnect();
  await atMost(PATIENCE, ended);
}

async function atMost(ms, promise) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
