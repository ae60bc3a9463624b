/** What BullMQ's objects tell their users, told to the harness. */

/** Make `entry.object`, a Worker, tell of the events that every port has a name for. */
export function tellOfWorker(entry, tell) {
  const worker = entry.object;
  const on = (event, words) =>
    worker.on(event, (...args) => {
      const { job = "", args: told = {} } = words(...args);
      tell("worker.event", { on: entry.name, event, job: String(job), args: told });
    });
  on("active", (job) => ({ job: job.id }));
  on("completed", (job, returnvalue) => ({ job: job.id, args: { returnvalue } }));
  // `job` is undefined when a job stalled too often; what was thrown need not be an error.
  on("failed", (job, error) => ({ job: job?.id, args: { failedReason: error?.message } }));
  on("progress", (job, data) => ({ job: job.id ?? job, args: { data } }));
  on("stalled", (id) => ({ job: id }));
  for (const event of ["drained", "paused", "resumed", "closed"]) on(event, () => ({}));
}

/** Make `entry.object`, a QueueEvents, tell of every event it emits, whatever its name. */
export function tellOfQueue(entry, tell) {
  const events = entry.object;
  const emit = events.emit;
  let last;
  events.emit = (event, ...args) => {
    const [told] = args;
    const fields = told !== null && typeof told === "object" ? told : {}; // `drained` has none but its stream id
    // An event with a job is emitted a second time, as `<event>:<job>`, for those who wait for that job.
    if (!OF_THE_CLIENT.has(event) && fields !== last) {
      tell("queue.event", { on: entry.name, event, job: String(fields.jobId ?? ""), args: fields });
      last = fields;
    }
    return emit.call(events, event, ...args);
  };
}

const OF_THE_CLIENT = new Set(["error", "ioredis:close"]);
