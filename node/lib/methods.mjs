/** The methods of `bullmq-compat/1`, each with its parameters in Node's order. `on` (and a job's `id`) come before them. */

const LIFE = {
  initialize: ["protocol", "bullmq"],
  "scenario.begin": ["id", "prefix", "redis"],
  "scenario.end": [],
  shutdown: [],
  ping: [],
  "clock.set": ["offsetMs"],
};

const GROUPS = {
  queue: {
    open: ["as", "name", "opts"],
    close: [],
    add: ["name", "data", "opts"],
    addBulk: ["jobs"],
    pause: [],
    resume: [],
    isPaused: [],
    isMaxed: [],
    count: [],
    getJobCounts: ["types"],
    getJobCountByTypes: ["types"],
    getWaitingCount: [],
    getActiveCount: [],
    getDelayedCount: [],
    getPrioritizedCount: [],
    getCompletedCount: [],
    getFailedCount: [],
    getCountsPerPriority: ["priorities"],
    getJob: ["jobId"],
    getJobState: ["jobId"],
    getJobs: ["types", "start", "end", "asc"],
    getRanges: ["types", "start", "end", "asc"],
    getWaiting: ["start", "end"],
    getActive: ["start", "end"],
    getDelayed: ["start", "end"],
    getPrioritized: ["start", "end"],
    getWaitingChildren: ["start", "end"],
    getWaitingChildrenCount: [],
    getDependencies: ["parentId", "type", "start", "end"],
    getCompleted: ["start", "end"],
    getFailed: ["start", "end"],
    getJobLogs: ["jobId", "start", "end", "asc"],
    addJobLog: ["jobId", "row", "keepLogs"],
    updateJobProgress: ["jobId", "progress"],
    getVersion: [],
    getMetrics: ["type", "start", "end"],
    exportPrometheusMetrics: ["globalVariables"],
    getWorkers: [],
    getWorkersCount: [],
    getQueueEvents: [],
    remove: ["jobId", "opts"],
    drain: ["delayed"],
    clean: ["grace", "limit", "type"],
    obliterate: ["opts"],
    retryJobs: ["opts"],
    promoteJobs: ["opts"],
    trimEvents: ["maxLength"],
    rateLimit: ["ms"],
    getRateLimitTtl: ["max"],
    removeRateLimitKey: [],
    setGlobalConcurrency: ["concurrency"],
    getGlobalConcurrency: [],
    removeGlobalConcurrency: [],
    setGlobalRateLimit: ["max", "duration"],
    getGlobalRateLimit: [],
    removeGlobalRateLimit: [],
    removeDeduplicationKey: ["id"],
    getDeduplicationJobId: ["id"],
    removeDebounceKey: ["id"],
    getDebounceJobId: ["id"],
    removeDeprecatedPriorityKey: [],
    upsertJobScheduler: ["id", "repeat", "template"],
    removeJobScheduler: ["id"],
    getJobScheduler: ["id"],
    getJobSchedulers: ["start", "end", "asc"],
    getJobSchedulersCount: [],
    getRepeatableJobs: ["start", "end", "asc"],
    removeRepeatable: ["name", "repeat", "jobId"],
    removeRepeatableByKey: ["key"],
  },
  job: {
    getState: [],
    isCompleted: [],
    isFailed: [],
    isDelayed: [],
    isActive: [],
    isWaiting: [],
    isWaitingChildren: [],
    updateData: ["data"],
    updateProgress: ["progress"],
    log: ["row"],
    clearLogs: ["keepLogs"],
    remove: ["opts"],
    retry: ["state"],
    promote: [],
    changeDelay: ["delay"],
    changePriority: ["opts"],
    discard: [],
    waitUntilFinished: ["events", "ttl"],
    extendLock: ["token", "duration"],
    moveToCompleted: ["returnValue", "token", "fetchNext"],
    moveToFailed: ["message", "token", "fetchNext"],
    moveToDelayed: ["timestamp", "token"],
    moveToWait: ["token"],
    moveToWaitingChildren: ["token", "opts"],
    getChildrenValues: [],
    getIgnoredChildrenFailures: [],
    getFailedChildrenValues: [],
    getDependencies: ["opts"],
    getDependenciesCount: ["opts"],
    removeChildDependency: [],
    removeUnprocessedChildren: [],
  },
  worker: {
    open: ["as", "name", "opts", "processor"],
    close: ["force"],
    pause: ["doNotWaitActive"],
    resume: [],
    isPaused: [],
    isRunning: [],
    getNextJob: ["token", "opts"],
    sweep: [],
  },
  events: { open: ["as", "name", "opts"], close: [] },
  producer: { open: ["as", "name", "opts"], close: [], publishEvent: ["event", "maxEvents"] },
  flow: { open: ["as", "opts"], close: [], add: ["flow", "opts"], addBulk: ["flows"], getFlow: ["opts"] },
};

/** Parameters by full name: `queue.add` → ["name", "data", "opts"]. */
export const METHODS = {
  ...LIFE,
  ...Object.fromEntries(
    Object.entries(GROUPS).flatMap(([group, methods]) =>
      Object.entries(methods).map(([name, params]) => [`${group}.${name}`, params]),
    ),
  ),
};

/** Where a method of the protocol has another name in BullMQ's own classes, or is made of several calls. */
const OWN_NAMES = { open: null, close: "close", sweep: "moveStalledJobsToWait" };

/** The names in `group` that the class `type` really has: what this driver declares for this version of BullMQ. */
export function offered(group, type) {
  return Object.keys(GROUPS[group]).filter((name) => {
    const own = name in OWN_NAMES ? OWN_NAMES[name] : name;
    return own === null || typeof type.prototype[own] === "function";
  });
}

/** The properties of a job that an answer shows. */
export const JOB_VIEW = [
  "id", "name", "data", "opts", "progress", "delay", "priority", "timestamp", "attemptsMade", "attemptsStarted",
  "stalledCounter", "failedReason", "stacktrace", "returnvalue", "finishedOn", "processedOn", "processedBy",
  "deferredFailure", "parentKey", "parent", "deduplicationId", "repeatJobKey",
];
