/** Each method of the protocol, carried out with BullMQ. */

import { setOffset } from "./clock.mjs";
import { BAD_PARAMS, DRIVER, NOT_IMPLEMENTED, RAISED, RpcError } from "./conversation.mjs";
import { tellOfQueue, tellOfWorker } from "./events.mjs";
import { view } from "./jobs.mjs";
import { METHODS, offered } from "./methods.mjs";
import { PLAYS, processorOf } from "./processor.mjs";
import { Scenario } from "./scenario.mjs";
import { JobFailed, messageOf, symbolOf } from "./symbols.mjs";
import { decode, encode } from "./values.mjs";

const PROTOCOL = "bullmq-compat/1";

export class Calls {
  #library;
  #ask;
  #notify;
  #giveUp;
  #scenario;

  /** `ask(method, params)`, `notify(method, params)` and `giveUp(reason)` lead to the harness. */
  constructor(library, { ask, notify, giveUp }) {
    this.#library = library;
    this.#ask = ask;
    this.#notify = notify;
    this.#giveUp = giveUp;
  }

  /** Carry out a call; what it answers is tagged already. */
  async handle(method, tagged) {
    const names = METHODS[method];
    if (names === undefined) throw new RpcError(NOT_IMPLEMENTED, `${method} is not implemented by this driver`);
    const params = decode(tagged);
    const [group, name] = method.split(".");
    refuseUnknown(method, params, leading(group, name).concat(names));
    const answer = await this.#call(group, name, params, names);
    return answer === undefined ? null : encode(answer);
  }

  #call(group, name, params, names) {
    switch (`${group}.${name}`) {
      case "initialize.undefined":
        return this.#welcome(params);
      case "ping.undefined":
        return null;
      case "shutdown.undefined":
        return this.end();
      case "scenario.begin":
        return this.#begin(params);
      case "scenario.end":
        return this.end();
      case "clock.set":
        return setOffset(number(params, "offsetMs"));
      case "queue.open":
        return this.#openQueue(params);
      case "worker.open":
        return this.#openWorker(params);
      case "events.open":
        return this.#openEvents(params);
      case "producer.open":
        return this.#openProducer(params);
      case "flow.open":
        return this.#openFlow(params);
    }
    return group === "job" ? this.#job(name, params, names) : this.#object(group, name, params, names);
  }

  // --- life ----------------------------------------------------------------------------------------------------------

  #welcome({ protocol }) {
    if (protocol !== PROTOCOL) {
      throw new RpcError(BAD_PARAMS, `this driver speaks ${PROTOCOL}; the harness asked for ${protocol}`);
    }
    const { FlowProducer, Job, Queue, QueueEvents, QueueEventsProducer, Worker, version } = this.#library;
    return {
      protocol: PROTOCOL,
      name: "bullmq",
      version,
      language: "javascript",
      homepage: "https://bullmq.io",
      issues: "https://github.com/taskforcesh/bullmq/issues",
      bullmq: version,
      metaVersion: `bullmq:${version}`,
      serial: false,
      capabilities: {
        queue: offered("queue", Queue),
        job: offered("job", Job),
        worker: [...offered("worker", Worker), "event"],
        events: [...offered("events", QueueEvents), "event"],
        producer: offered("producer", QueueEventsProducer),
        processor: PLAYS,
        scheduler: ["every", "pattern", "repeat", "repeatStrategy"],
        flow: offered("flow", FlowProducer),
        clock: true,
        cluster: true,
      },
    };
  }

  #begin(params) {
    if (this.#scenario !== undefined) {
      throw new RpcError(DRIVER, `scenario ${this.#scenario.id} has not ended, ${params.id} cannot begin`);
    }
    if (!Array.isArray(params.redis?.nodes) || params.redis.nodes.length === 0) {
      throw new RpcError(BAD_PARAMS, "scenario.begin needs redis.nodes, a list of [host, port]");
    }
    this.#scenario = new Scenario(this.#library, params);
  }

  /** End the scenario, if one is under way, and put the clock right. */
  async end() {
    const scenario = this.#scenario;
    this.#scenario = undefined;
    try {
      await scenario?.end();
    } finally {
      this.#giveUp("the scenario has ended");
      setOffset(0);
    }
  }

  get #current() {
    if (this.#scenario === undefined) throw new RpcError(DRIVER, "no scenario is under way: scenario.begin comes first");
    return this.#scenario;
  }

  // --- objects -------------------------------------------------------------------------------------------------------

  async #openQueue(params) {
    const entry = await this.#open("queue", params, (options) => new this.#library.Queue(params.name, options));
    await entry.object.waitUntilReady();
    // The constructor has sent `meta` on this connection by now; a read of the same key is answered after it.
    await (await this.#current.connection()).exists(entry.object.toKey("meta"));
  }

  async #openWorker(params) {
    let entry;
    const processor = processorOf({
      library: this.#library,
      name: params.as,
      ask: this.#ask,
      seen: (job) => entry.jobs.set(job.id, job),
      worker: () => entry.object,
    });
    const make = (options) =>
      new this.#library.Worker(params.name, params.processor === false ? null : processor, options);
    entry = await this.#open("worker", params, make);
    tellOfWorker(entry, this.#tell());
    await entry.object.waitUntilReady();
  }

  async #openEvents(params) {
    const opts = { lastEventId: "0-0", ...params.opts };
    // It must not read before it is listened to.
    const make = (options) => new this.#library.QueueEvents(params.name, { ...options, autorun: false });
    const entry = await this.#open("events", { ...params, opts }, make);
    tellOfQueue(entry, this.#tell());
    await entry.object.waitUntilReady();
    entry.object.run().catch((error) => entry.object.emit("error", error));
  }

  async #openProducer(params) {
    const make = (options) => new this.#library.QueueEventsProducer(params.name, options);
    const entry = await this.#open("producer", params, make);
    await entry.object.waitUntilReady();
  }

  async #openFlow(params) {
    const entry = await this.#open("flow", params, (options) => new this.#library.FlowProducer(options));
    await entry.object.waitUntilReady();
  }

  async #open(kind, { as, opts }, make) {
    const scenario = this.#current;
    if (typeof as !== "string") throw new RpcError(BAD_PARAMS, `${kind}.open needs "as", the object's name`);
    scenario.mustBeFree(as);
    const { $backoffStrategy, $repeatStrategy, ...plain } = { prefix: scenario.prefix, ...opts };
    if ($backoffStrategy !== undefined) {
      plain.settings = { ...plain.settings, backoffStrategy: backoffStrategy($backoffStrategy) };
    }
    if ($repeatStrategy !== undefined) {
      plain.settings = { ...plain.settings, repeatStrategy: repeatStrategy($repeatStrategy) };
    }
    const connection = await scenario.connection();
    if (scenario.over) throw new RpcError(DRIVER, `the scenario ended before ${as} was open`);
    const object = make({ ...plain, connection });
    object.on("error", (error) => console.error(`${as}: ${messageOf(error)}`));
    return scenario.add(as, { kind, object });
  }

  /** Tell the harness, as long as this scenario is under way. */
  #tell() {
    const scenario = this.#current;
    return (method, params) => {
      if (!scenario.over) this.#notify(method, { ...params, args: encode(defined(params.args)) });
    };
  }

  async #object(group, name, params, names) {
    const entry = this.#current.get(params.on, group);
    const { object } = entry;
    switch (`${group}.${name}`) {
      case "queue.close":
      case "events.close":
      case "producer.close":
      case "flow.close":
        await object.close();
        return this.#forget(entry);
      case "worker.close":
        await object.close(params.force ?? false);
        return this.#forget(entry);
      case "worker.sweep":
        return void (await object.moveStalledJobsToWait());
      case "queue.getJobCounts":
      case "queue.getJobCountByTypes":
        return await object[name](...[params.types ?? []].flat());
      case "queue.getWorkers":
      case "queue.getQueueEvents":
        return (await object[name]()).map(({ name, rawname }) => ({ name, rawname }));
    }
    return this.#seen(entry, await object[name](...positional(names, params)));
  }

  #forget(entry) {
    this.#scenario?.forget(entry.name);
  }

  /** An answer with its jobs shown; they are the objects that `job.*` acts on from now on. */
  #seen(entry, answer) {
    if (Array.isArray(answer)) return answer.map((item) => this.#seen(entry, item));
    if (answer?.job instanceof this.#library.Job) return this.#tree(entry, answer);
    if (!(answer instanceof this.#library.Job)) return answer;
    entry.jobs.set(answer.id, answer);
    return view(answer);
  }

  #tree(entry, { job, children }) {
    const shown = { job: this.#seen(entry, job) };
    return children === undefined ? shown : { ...shown, children: this.#seen(entry, children) };
  }

  // --- jobs ----------------------------------------------------------------------------------------------------------

  async #job(name, params, names) {
    const entry = this.#current.get(params.on, "queue", "worker");
    const job = entry.jobs.get(params.id) ?? (await this.#library.Job.fromId(entry.object, params.id));
    if (!job) throw Object.assign(new Error(`Missing key for job ${params.id}. ${name}`), { code: -1 });
    entry.jobs.set(job.id, job);
    const args = positional(names, params);
    if (name === "moveToFailed") args[0] = new Error(params.message);
    if (name === "waitUntilFinished") {
      return JobFailed.told(job[name](this.#current.get(params.events, "events").object, ...args.slice(1)));
    }
    const answer = await job[name](...args);
    if (name !== "moveToCompleted" && name !== "moveToFailed") return answer;
    // The next job, if one was fetched: BullMQ answers with what Redis said of it.
    const [fetched, id] = answer ?? [];
    return fetched ? this.#seen(entry, this.#library.Job.fromJSON(entry.object, fetched, id)) : null;
  }

  /** The `error` member of an answer. */
  explain(error) {
    const message = messageOf(error);
    if (error instanceof RpcError) return { code: error.rpcCode, message, data: { bullmq: "unclassified", message } };
    return { code: RAISED, message, data: encode({ bullmq: symbolOf(error), message }) };
  }
}

/** `{"<type>": [delay of the first retry in ms, of the second, …]}` as BullMQ's `settings.backoffStrategy`. */
function backoffStrategy(delays) {
  return (attemptsMade, type) => {
    const list = delays[type];
    if (list === undefined) throw new Error(`Unknown backoff strategy ${type}.`);
    return list[Math.min(attemptsMade, list.length) - 1];
  };
}

/** `{"<pattern>": ms}` as BullMQ's `settings.repeatStrategy`: the slots of a pattern are the multiples of so many ms. */
function repeatStrategy(steps) {
  return (millis, { pattern }) => {
    const step = steps[pattern];
    return step === undefined ? undefined : Math.floor(millis / step) * step + step;
  };
}

function leading(group, name) {
  if (name === undefined || name === "open" || group === "scenario" || group === "clock") return [];
  return group === "job" ? ["on", "id"] : ["on"];
}

function refuseUnknown(method, params, known) {
  if (params === null || typeof params !== "object" || Array.isArray(params)) {
    throw new RpcError(BAD_PARAMS, `${method} takes named parameters: ${known.join(", ") || "none"}`);
  }
  const unknown = Object.keys(params).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new RpcError(BAD_PARAMS, `${method} takes ${known.join(", ") || "nothing"}; not ${unknown.join(", ")}`);
  }
}

function positional(names, params) {
  const args = names.map((name) => params[name]);
  while (args.length > 0 && args.at(-1) === undefined) args.pop();
  return args;
}

function number(params, name) {
  const value = params[name];
  if (!Number.isFinite(value)) throw new RpcError(BAD_PARAMS, `${name} is a number of ms, not ${JSON.stringify(value)}`);
  return value;
}

function defined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
