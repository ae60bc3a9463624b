/** The only processor there is: it asks the harness what to do with an attempt, does it, and ends as it is told. */

import { view } from "./jobs.mjs";
import { decode, encode } from "./values.mjs";

/** The actions and ends that `play` knows, beside returning and throwing a plain error. */
export const PLAYS = [
  "progress", "log", "updateData", "extendLock", "spin", "gate",
  "unrecoverable", "delayed", "waiting", "waitingChildren", "rateLimit", "nonError", "die",
];

/** The processor of the worker that the harness calls `name`. `ask` puts a question to the harness. */
export function processorOf({ library, name, ask, seen, worker }) {
  return async (job, token) => {
    seen(job);
    const answer = decode(await ask("processor.call", { worker: name, job: encode(view(job)), token }));
    for (const action of answer.do ?? []) await act(action, job, token, name, ask);
    return await finish(answer.end, job, token, worker(), library);
  };
}

async function act(action, job, token, name, ask) {
  const [[kind, value]] = Object.entries(action);
  switch (kind) {
    case "progress":
      return await job.updateProgress(value);
    case "log":
      return await job.log(value);
    case "updateData":
      return await job.updateData(value);
    case "extendLock":
      return await job.extendLock(token, value);
    case "spin":
      return spin(value);
    case "gate":
      return await ask("processor.gate", { worker: name, job: job.id, gate: value });
    default:
      throw new Error(`this driver knows no action "${kind}"`);
  }
}

async function finish(end, job, token, worker, library) {
  if ("return" in end) return end.return;
  if (end.die) {
    process.kill(process.pid, "SIGKILL");
    return await new Promise(() => {});
  }
  if (!("throw" in end)) throw new Error(`this driver knows no end ${JSON.stringify(end)}`);
  const { type = "error", message, ms } = typeof end.throw === "string" ? { message: end.throw } : end.throw;
  switch (type) {
    case "error":
      throw new Error(message);
    case "unrecoverable":
      throw new library.UnrecoverableError(message);
    case "delayed":
      await job.moveToDelayed(Date.now() + (ms ?? 0), token);
      throw new library.DelayedError();
    case "waiting":
      await job.moveToWait(token);
      throw new library.WaitingError();
    case "waitingChildren":
      await job.moveToWaitingChildren(token);
      throw new library.WaitingChildrenError();
    case "rateLimit":
      await worker.rateLimit(ms); // the same command as a queue's, and here is no queue
      throw new library.RateLimitError();
    case "nonError":
      throw message ?? "";
    default:
      throw new Error(`this driver knows no throw "${type}"`);
  }
}

/** Block the thread, so that nothing else of this process can run. */
function spin(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
