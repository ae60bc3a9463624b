/** One scenario's connection and objects: opened by name, all closed at its end. */

import { BAD_PARAMS, ENVIRONMENT, RpcError } from "./conversation.mjs";

const PATIENCE = 1000; // ms that the end of a scenario waits for objects to close in order

export class Scenario {
  over = false;
  #library;
  #redis;
  #client;
  #connecting;
  #objects = new Map();

  constructor(library, { id, prefix, redis }) {
    this.id = id;
    this.prefix = prefix;
    this.#library = library;
    this.#redis = redis;
  }

  /**
   * The connection that all objects of the scenario share; BullMQ itself duplicates it for what blocks. Once it has
   * been there, commands wait for a lost server as long as it takes: it is the harness that sets deadlines.
   */
  async connection() {
    this.#connecting ??= connect(this.#library.IORedis, this.#redis, (client) => (this.#client = client));
    return await this.#connecting;
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

function connect(IORedis, { topology, nodes, username, password, tls, db }, keep) {
  let reached = false;
  const retry = (most) => (times) => (reached ? Math.min(times * 50, most) : null);
  const options = { username, password, tls: tls ? {} : undefined, maxRetriesPerRequest: null };
  const addresses = nodes.map(([host, port]) => ({ host, port }));
  const client =
    topology === "cluster"
      ? new IORedis.Cluster(addresses, { redisOptions: options, clusterRetryStrategy: retry(500) })
      : new IORedis({ ...options, ...addresses[0], db: db ?? 0, retryStrategy: retry(2000) });
  keep(client);
  client.setMaxListeners(0);
  let last = "it was not waited for";
  const note = (error) => {
    last = error.message;
    console.error(`redis: ${last}`);
  };
  client.on("error", topology === "cluster" ? () => {} : note); // a Cluster's says only that no node can be used
  client.on("node error", note);
  return new Promise((resolve, reject) => {
    client.once("ready", () => {
      reached = true;
      resolve(client);
    });
    client.once("end", () => {
      const tried = addresses.map(({ host, port }) => `${host}:${port}`).join(", ");
      reject(new RpcError(ENVIRONMENT, `Redis at ${tried} cannot be used: ${last}`));
    });
  });
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
