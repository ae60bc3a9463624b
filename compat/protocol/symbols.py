"""The symbols of BullMQ's errors: what a raised error is compared by, with Node's text for each.

`{…}` stands for what varies. A driver reports the symbol in `error.data.bullmq`; an error that has none is
`unclassified`, which equals nothing.
"""

from __future__ import annotations

UNCLASSIFIED = "unclassified"

#: The codes that the Lua scripts return, by symbol.
SCRIPT_CODES: dict[str, int] = {
    "JobNotExist": -1,
    "JobLockNotExist": -2,
    "JobNotInState": -3,
    "JobPendingChildren": -4,
    "ParentJobNotExist": -5,
    "JobLockMismatch": -6,
    "ParentJobCannotBeReplaced": -7,
    "JobBelongsToJobScheduler": -8,
    "JobHasFailedChildren": -9,
    "SchedulerJobIdCollision": -10,
    "SchedulerJobSlotsBusy": -11,
}

#: Node's text for each symbol.
TEXTS: dict[str, str] = {
    "JobNotExist": "Missing key for job {}. {}",
    "JobLockNotExist": "Missing lock for job {}. {}",
    "JobNotInState": "Job {} is not in the {} state. {}",
    "JobPendingChildren": "Job {} has pending dependencies. {}",
    "ParentJobNotExist": "Missing key for parent job {}. {}",
    "JobLockMismatch": "Lock mismatch for job {}. Cmd {} from {}",
    "ParentJobCannotBeReplaced": "The parent job {} cannot be replaced. {}",
    "JobBelongsToJobScheduler": "Job {} belongs to a job scheduler and cannot be removed directly. {}",
    "JobHasFailedChildren": "Cannot complete job {} because it has at least one failed child. {}",
    "SchedulerJobIdCollision": "Cannot create job scheduler iteration - job ID already exists. {}",
    "SchedulerJobSlotsBusy": (
        "Cannot create job scheduler iteration - current and next time slots already have jobs. {}"
    ),
    "QueueNameMissing": "Queue name must be provided",
    "QueueNameColon": "Queue name cannot contain :",
    "PriorityNotInteger": "Priority should not be float",
    "PriorityOutOfRange": "Priority should be between 0 and {}",
    "JobIdInteger": "Custom Id cannot be integers",
    "JobIdColon": "Custom Id cannot contain :",
    "JobIdZero": "JobId cannot be '0' or start with {}",
    "SizeLimitExceeded": "The size of job {} exceeds the limit {} bytes",
    "ExclusiveParentOptions": "The following options cannot be used together: {}",
    "DeduplicationIdMissing": "Deduplication id must be provided",
    "DebounceIdMissing": "Debounce id must be provided",
    "JitterOutOfRange": "Jitter should be between 0 and 1",
    "DelayWithRepeat": "Delay and repeat options {} be used together",
    "PatternAndEvery": "Both .pattern and .every options are defined for this repeatable job",
    "PatternOrEvery": "Either .pattern or .every options must be defined for this repeatable job",
    "ImmediatelyAndStartDate": "Both .immediately and .startDate options are defined for this repeatable job",
    "EndDatePast": "End date must be greater than current timestamp",
    "ObliterateNotPaused": "Cannot obliterate non-paused queue",
    "ObliterateActiveJobs": "Cannot obliterate queue with active jobs",
    "JobLocked": "Job {} could not be removed because it is locked by another worker",
    "ConcurrencyInvalid": "concurrency must be a finite number greater than 0",
    "DrainDelayInvalid": "drainDelay must be greater than 0",
    "StalledIntervalInvalid": "stalledInterval must be greater than 0",
    "MaxStalledCountInvalid": "maxStalledCount must be greater or equal than 0",
    "MaxStartedAttemptsInvalid": "maxStartedAttempts must be greater or equal than 0",
    "JobWaitTimeout": "Job wait {} timed out before finishing, no finish notification arrived after {}ms (id={})",
    "JobFailed": "{}",  # the reason of a job that was waited for; the driver knows for what it waited
    "WorkerAlreadyRunning": "Worker is already running.",
    "UnknownBackoffStrategy": "Unknown backoff strategy {}.{}",
    "CronInvalid": "{}",  # cron-parser has many texts; the driver knows them
    "CrossSlot": "{}CROSSSLOT{}",
    "ScriptError": "{}",  # Redis refused or a script raised; the driver says so, no text decides it
}
