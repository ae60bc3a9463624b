/** Jobs in answers: the properties that a job object of BullMQ has, by their names there. */

import { JOB_VIEW } from "./methods.mjs";

/** What `job` shows of itself. A property that is undefined is absent, and so is an option that is. */
export function view(job) {
  const shown = {};
  for (const name of JOB_VIEW) {
    if (job[name] !== undefined) shown[name] = job[name];
  }
  shown.opts = Object.fromEntries(Object.entries(job.opts).filter(([, value]) => value !== undefined));
  return shown;
}
