/** A worker or an adder of Node's BullMQ in a chaos run; see compat/chaos/programs/ref.py, its twin. */

import { openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { loadLibrary } from "./lib/library.mjs";

const told = JSON.parse(process.argv[2]);
const { Queue, Worker, IORedis } = loadLibrary("bullmq");
const file = openSync(told.journal, "a", 0o600);
const write = (...words) => writeSync(file, `${JSON.stringify(words)}\n`);
const ended = new Promise((resolve) => process.stdin.resume().on("end", resolve));

function connection(more) {
  const nodes = told.nodes.map(([host, port]) => ({ host, port }));
  return told.cluster ? new IORedis.Cluster(nodes, { redisOptions: more }) : { ...nodes[0], ...more };
}

async function work() {
  const { concurrency, lock_duration, stalled_interval, max_stalled_count, drain_delay } = told.worker;
  const worker = new Worker(
    told.queue,
    async (job) => {
      write("begin", job.id, Date.now());
      await sleep(job.data.ms);
      write("end", job.id, Date.now());
      if (job.data.fails) throw new Error("planned");
      return job.data.n;
    },
    {
      connection: connection({ maxRetriesPerRequest: null }),
      prefix: told.prefix,
      concurrency,
      lockDuration: lock_duration,
      stalledInterval: stalled_interval,
      maxStalledCount: max_stalled_count,
      drainDelay: drain_delay,
    },
  );
  worker.on("error", () => {});
  write("ready");
  await ended;
  await worker.close();
}

async function add() {
  const streams = { events: { maxLen: told.events } };
  const queue = new Queue(told.queue, { connection: connection({}), prefix: told.prefix, streams });
  queue.on("error", () => {});
  await queue.waitUntilReady();
  write("ready");
  const started = performance.now();
  let place = 0;
  const lane = async () => {
    for (;;) {
      const mine = place++;
      const n = told.first + 2 * mine;
      if (n >= told.jobs) return;
      await sleep(Math.max(0, started + mine * told.gap * 1000 - performance.now()));
      const since = Date.now();
      try {
        const data = { n, ms: n % told.longest, fails: n % told.failing === told.failing - 1 };
        const job = await queue.add("chaos", data);
        write("added", n, job.id, since, Date.now(), "");
      } catch (error) {
        write("added", n, null, since, Date.now(), error.message);
      }
    }
  };
  await Promise.all(Array.from({ length: told.lanes }, lane));
  write("done");
  await ended;
}

await { worker: work, adder: add }[told.role]();
process.exit(0);
