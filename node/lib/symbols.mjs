/** The symbols of BullMQ's errors: by the code of a script, by Node's text, or because Redis refused. */

const UNCLASSIFIED = "unclassified";

export const SCRIPT_CODES = {
  JobNotExist: -1,
  JobLockNotExist: -2,
  JobNotInState: -3,
  JobPendingChildren: -4,
  ParentJobNotExist: -5,
  JobLockMismatch: -6,
  ParentJobCannotBeReplaced: -7,
  JobBelongsToJobScheduler: -8,
  JobHasFailedChildren: -9,
  SchedulerJobIdCollision: -10,
  SchedulerJobSlotsBusy: -11,
};

/** Node's text for each symbol; `{}` stands for what varies. */
export const TEXTS = {
  JobNotExist: "Missing key for job {}. {}",
  JobLockNotExist: "Missing lock for job {}. {}",
  JobNotInState: "Job {} is not in the {} state. {}",
  JobPendingChildren: "Job {} has pending dependencies. {}",
  ParentJobNotExist: "Missing key for parent job {}. {}",
  JobLockMismatch: "Lock mismatch for job {}. Cmd {} from {}",
  ParentJobCannotBeReplaced: "The parent job {} cannot be replaced. {}",
  JobBelongsToJobScheduler: "Job {} belongs to a job scheduler and cannot be removed directly. {}",
  JobHasFailedChildren: "Cannot complete job {} because it has at least one failed child. {}",
  SchedulerJobIdCollision: "Cannot create job scheduler iteration - job ID already exists. {}",
  SchedulerJobSlotsBusy: "Cannot create job scheduler iteration - current and next time slots already have jobs. {}",
  QueueNameMissing: "Queue name must be provided",
  QueueNameColon: "Queue name cannot contain :",
  PriorityNotInteger: "Priority should not be float",
  PriorityOutOfRange: "Priority should be between 0 and {}",
  JobIdInteger: "Custom Id cannot be integers",
  JobIdColon: "Custom Id cannot contain :",
  JobIdZero: "JobId cannot be '0' or start with {}",
  SizeLimitExceeded: "The size of job {} exceeds the limit {} bytes",
  ExclusiveParentOptions: "The following options cannot be used together: {}",
  DeduplicationIdMissing: "Deduplication id must be provided",
  DebounceIdMissing: "Debounce id must be provided",
  JitterOutOfRange: "Jitter should be between 0 and 1",
  DelayWithRepeat: "Delay and repeat options {} be used together",
  PatternAndEvery: "Both .pattern and .every options are defined for this repeatable job",
  PatternOrEvery: "Either .pattern or .every options must be defined for this repeatable job",
  ImmediatelyAndStartDate: "Both .immediately and .startDate options are defined for this repeatable job",
  EndDatePast: "End date must be greater than current timestamp",
  ObliterateNotPaused: "Cannot obliterate non-paused queue",
  ObliterateActiveJobs: "Cannot obliterate queue with active jobs",
  JobLocked: "Job {} could not be removed because it is locked by another worker",
  ConcurrencyInvalid: "concurrency must be a finite number greater than 0",
  DrainDelayInvalid: "drainDelay must be greater than 0",
  StalledIntervalInvalid: "stalledInterval must be greater than 0",
  MaxStalledCountInvalid: "maxStalledCount must be greater or equal than 0",
  MaxStartedAttemptsInvalid: "maxStartedAttempts must be greater or equal than 0",
  JobWaitTimeout: "Job wait {} timed out before finishing, no finish notification arrived after {}ms (id={})",
  JobFailed: "{}",
  WorkerAlreadyRunning: "Worker is already running.",
  UnknownBackoffStrategy: "Unknown backoff strategy {}.{}",
  CronInvalid: "{}",
  CrossSlot: "{}CROSSSLOT{}",
  ScriptError: "{}",
};

const BY_CODE = new Map(Object.entries(SCRIPT_CODES).map(([symbol, code]) => [code, symbol]));
const BY_TEXT = Object.entries(TEXTS)
  .filter(([, text]) => text !== "{}") // any text: who said it decides
  .map(([symbol, text]) => [symbol, new RegExp(`^${text.split("{}").map(escape).join("[^]*")}$`)]);

// A script may also reach for a key of another slot; ioredis refuses a pipeline over several slots by itself.
const OTHER_SLOTS = /do(?:n't| not) hash to the same slot|should belong to the same slot/;

// What cron-parser says of a pattern or a time zone.
const CRON = new RegExp(
  "^(?:Invalid (?:cron expression$|characters, |range: |repeat: |list value format$|explicit day of month )" +
    "|Constraint error, |Validation error, |CronDate: unhandled timestamp)",
);

/** The symbol of what BullMQ threw. */
export function symbolOf(error) {
  if (error instanceof JobFailed) return "JobFailed";
  const message = messageOf(error);
  const byCode = BY_CODE.get(error?.code);
  if (byCode !== undefined) return byCode;
  const byText = BY_TEXT.find(([, text]) => text.test(message));
  if (byText !== undefined) return byText[0];
  if (CRON.test(message)) return "CronInvalid";
  if (OTHER_SLOTS.test(message)) return "CrossSlot";
  return error?.name === "ReplyError" ? "ScriptError" : UNCLASSIFIED;
}

/** The reason of a job that was waited for, which may be any text. */
export class JobFailed extends Error {
  /** `waiting`, unless what it ends with is the wait's own error. */
  static async told(waiting) {
    try {
      return await waiting;
    } catch (error) {
      const own = ["JobNotExist", "JobWaitTimeout"].includes(symbolOf(error)) || error?.name === "ReplyError";
      throw own ? error : new JobFailed(messageOf(error));
    }
  }
}

/** What an error says; anything may be thrown. */
export function messageOf(error) {
  return typeof error?.message === "string" ? error.message : String(error);
}

function escape(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
