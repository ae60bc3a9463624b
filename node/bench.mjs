/** The peer `node@VERSION` of `bullmq-compat bench`: one question on stdin, one answer on stdout. */

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { loadLibrary } from "./lib/library.mjs";

const REST = 5; // ms that a worker is given to fall asleep again between two samples

const asked = JSON.parse(readFileSync(0, "utf8"));
const { Queue, Worker } = loadLibrary(process.argv[2] ?? "bullmq");
const connection = { host: asked.host, port: asked.port };

async function producer() {
  const queue = new Queue(asked.queues[0], { connection, prefix: asked.prefix });
  await queue.waitUntilReady();
  return queue;
}

async function consumer(name, processor, more = {}) {
  const concurrency = asked.kind === "work" ? asked.concurrency : 1;
  const options = { connection, prefix: asked.prefix, concurrency, autorun: false, ...more };
  const worker = new Worker(name, processor, options);
  await worker.waitUntilReady();
  return worker;
}

async function add() {
  const queue = await producer();
  const lane = async (count) => {
    for (let n = 0; n < count; n++) await queue.add(asked.name, asked.payload);
  };
  const share = Math.floor(asked.jobs / asked.in_flight);
  const rest = asked.jobs % asked.in_flight;
  const window = new Window();
  await Promise.all(Array.from({ length: asked.in_flight }, (_, n) => lane(share + (n < rest ? 1 : 0))));
  window.stop();
  await queue.close();
  return window.answer(asked.jobs);
}

async function bulk() {
  const size = Math.min(1000, asked.jobs);
  const rounds = Math.floor(asked.jobs / size);
  const queue = await producer();
  const window = new Window();
  for (let n = 0; n < rounds; n++) {
    await queue.addBulk(Array.from({ length: size }, () => ({ name: asked.name, data: asked.payload })));
  }
  window.stop();
  await queue.close();
  return window.answer(rounds * size);
}

async function work() {
  const windows = [];
  for (const name of asked.queues) {
    let count = 0;
    const done = deferred();
    const workers = [];
    for (let n = 0; n < asked.workers; n++) {
      const worker = await consumer(name, async () => {});
      worker.on("completed", () => {
        if (++count === asked.jobs) done.resolve();
      });
      workers.push(worker);
    }
    const window = new Window();
    for (const worker of workers) worker.run();
    await done.promise;
    window.stop();
    windows.push(window);
    await Promise.all(workers.map((worker) => worker.close()));
  }
  const window = windows.at(-1);
  for (const part of ["seconds", "cpu", "growth"]) window[part] = windows.reduce((sum, w) => sum + w[part], 0);
  return window.answer(asked.jobs * windows.length);
}

async function pickup() {
  const latencies = [];
  let moment, begun, ended;
  const queue = await producer();
  const worker = await consumer(asked.queues[0], async () => {
    latencies.push(performance.now() - moment);
    begun.resolve();
  });
  worker.on("completed", () => ended.resolve());
  worker.run();
  await sleep(100);
  const window = new Window();
  for (let n = 0; n < asked.jobs; n++) {
    [begun, ended] = [deferred(), deferred()];
    moment = performance.now();
    await Promise.all([queue.add(asked.name, asked.payload), begun.promise, ended.promise]);
    await sleep(REST);
  }
  window.stop();
  return window.answer(asked.jobs, latencies);
}

async function renew() {
  const ids = Array.from({ length: asked.concurrency }, (_, n) => String(n + 1));
  const tokens = ids.map(() => asked.token);
  const worker = await consumer(asked.queues[0], async () => {});
  const scripts = await worker.scripts;
  return sample(() => scripts.extendLocks(ids, tokens, 30000));
}

async function sweep() {
  const worker = await consumer(asked.queues[0], async () => {}, { stalledInterval: 1 });
  return sample(() => worker.moveStalledJobsToWait());
}

async function sample(call) {
  const latencies = [];
  const window = new Window();
  for (let n = 0; n < asked.jobs; n++) {
    const moment = performance.now();
    await call();
    latencies.push(performance.now() - moment);
    await sleep(2);
  }
  window.stop();
  return window.answer(asked.jobs, latencies);
}

function deferred() {
  let resolve;
  const promise = new Promise((fulfil) => (resolve = fulfil));
  return { promise, resolve };
}

/** The timed window. */
class Window {
  constructor() {
    this.rss = process.memoryUsage.rss();
    this.used = cpu();
    this.start = performance.now();
  }

  stop() {
    this.seconds = (performance.now() - this.start) / 1000;
    this.cpu = cpu() - this.used;
    this.growth = process.memoryUsage.rss() - this.rss;
  }

  answer(ops, latencies = []) {
    return {
      ops,
      seconds: this.seconds,
      cpu: this.cpu,
      cpu_whole: cpu(),
      rss_peak: peak(),
      rss_growth: this.growth,
      tasks: null,
      latencies,
    };
  }
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** `maxRSS` alone would not do: a process inherits it from its parent. */
function peak() {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

const KINDS = { add, bulk, work, pickup, renew, sweep };
process.stdout.write(`${JSON.stringify(await KINDS[asked.kind]())}\n`);
process.exit(0);
