"""Errors: each names the fault by `symbol`, tells what was seen, and says whether another try can help."""

from __future__ import annotations

from redis import exceptions as redis_errors


class BullMQError(Exception):
    """The root of what this library raises. `symbol` names the fault; `transient` means another try may succeed."""

    symbol = "unclassified"
    transient = False
    #: The stack trace of an error that was raised in another process.
    stack: str | None = None


class Invalid(BullMQError, ValueError):
    """An argument was refused before Redis was touched. `field` names it, `bound` is the limit it broke."""

    def __init__(self, text: str, *, symbol: str = "unclassified", field: str = "", bound: object = None) -> None:
        super().__init__(text)
        self.symbol, self.field, self.bound = symbol, field, bound


# --- what a processor raises -----------------------------------------------------------------------------------------


class UnrecoverableError(BullMQError):
    """Raised by a processor: the job fails for good, whatever attempts are left."""

    def __init__(self, text: str = "bullmq:unrecoverable") -> None:
        super().__init__(text)


class DelayedError(BullMQError):
    """Raised by a processor that has moved its job to delayed (`job.move_to_delayed`)."""

    def __init__(self, text: str = "bullmq:movedToDelayed") -> None:
        super().__init__(text)


class WaitingError(BullMQError):
    """Raised by a processor that has moved its job back to wait (`job.move_to_wait`)."""

    def __init__(self, text: str = "bullmq:movedToWait") -> None:
        super().__init__(text)


class WaitingChildrenError(BullMQError):
    """Raised by a processor that has moved its job to waiting-children (`job.move_to_waiting_children`)."""

    def __init__(self, text: str = "bullmq:movedToWaitingChildren") -> None:
        super().__init__(text)


class RateLimitError(BullMQError):
    """Raised by a processor after `queue.rate_limit(ms)`: the job goes back to wait, the attempt is not counted."""

    TEXT = "bullmq:rateLimitExceeded"

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)


# --- how an attempt ends before its processor does -------------------------------------------------------------------


class AttemptCancelled(BullMQError):
    """The attempt was cancelled (`worker.cancel_job`); the text is the reason given. It is tried again while attempts
    are left."""


class AttemptTimedOut(BullMQError):
    """The attempt took longer than the worker's `timeout`."""


class LockLost(BullMQError):
    """A lock could not be renewed: it has expired, or is another worker's. `job` is the job's id."""

    def __init__(self, job: str) -> None:
        super().__init__(f"could not renew lock for job {job}")
        self.job = job


# --- what a script refuses -------------------------------------------------------------------------------------------


class Refused(BullMQError):
    """A script answered with a negative code. `template` is Node's text."""

    code = 0
    template = "Unknown code {code} error for {job}. {command}"

    def __init__(self, *, command: str, job: str | None = None, state: str = "", parent: str | None = None) -> None:
        text = self.template.format(code=self.code, job=job, command=command, state=state, parent=parent)
        super().__init__(text)
        self.job, self.command = job, command


class JobNotExist(Refused):
    symbol, code, template = "JobNotExist", -1, "Missing key for job {job}. {command}"


class JobLockNotExist(Refused):
    symbol, code, template = "JobLockNotExist", -2, "Missing lock for job {job}. {command}"


class JobNotInState(Refused):
    symbol, code, template = "JobNotInState", -3, "Job {job} is not in the {state} state. {command}"


class JobPendingChildren(Refused):
    symbol, code, template = "JobPendingChildren", -4, "Job {job} has pending dependencies. {command}"


class ParentJobNotExist(Refused):
    symbol, code, template = "ParentJobNotExist", -5, "Missing key for parent job {parent}. {command}"


class JobLockMismatch(Refused):
    symbol, code, template = "JobLockMismatch", -6, "Lock mismatch for job {job}. Cmd {command} from {state}"


class ParentJobCannotBeReplaced(Refused):
    symbol, code, template = "ParentJobCannotBeReplaced", -7, "The parent job {parent} cannot be replaced. {command}"


class JobBelongsToJobScheduler(Refused):
    symbol, code = "JobBelongsToJobScheduler", -8
    template = "Job {job} belongs to a job scheduler and cannot be removed directly. {command}"


class JobHasFailedChildren(Refused, UnrecoverableError):
    symbol, code = "JobHasFailedChildren", -9
    template = "Cannot complete job {job} because it has at least one failed child. {command}"


class SchedulerJobIdCollision(Refused):
    symbol, code = "SchedulerJobIdCollision", -10
    template = "Cannot create job scheduler iteration - job ID already exists. {command}"


class SchedulerJobSlotsBusy(Refused):
    symbol, code = "SchedulerJobSlotsBusy", -11
    template = "Cannot create job scheduler iteration - current and next time slots already have jobs. {command}"


_BY_CODE: dict[int, type[Refused]] = {kind.code: kind for kind in Refused.__subclasses__()}


def refused(code: int, *, command: str, job: str | None = None, state: str = "", parent: str | None = None) -> Refused:
    """The exception for a script's negative `code`."""
    kind = _BY_CODE.get(code)
    if kind is None:
        kind = type("Refused", (Refused,), {"code": code})
    return kind(command=command, job=job, state=state, parent=parent)


class ObliterateNotPaused(BullMQError):
    symbol = "ObliterateNotPaused"

    def __init__(self) -> None:
        super().__init__("Cannot obliterate non-paused queue")


class ObliterateActiveJobs(BullMQError):
    symbol = "ObliterateActiveJobs"

    def __init__(self) -> None:
        super().__init__("Cannot obliterate queue with active jobs")


class JobLocked(BullMQError):
    symbol = "JobLocked"

    def __init__(self, job: str) -> None:
        super().__init__(f"Job {job} could not be removed because it is locked by another worker")


class JobFailed(BullMQError):
    """A job that was waited for (`job.wait_until_finished`) has failed; the text is its reason."""

    symbol = "JobFailed"


class JobWaitTimeout(BullMQError):
    """A job was waited for (`job.wait_until_finished`) for longer than was allowed."""

    symbol = "JobWaitTimeout"

    def __init__(self, name: str, job: str, timeout_ms: int | None) -> None:
        super().__init__(
            f"Job wait {name} timed out before finishing, no finish notification arrived after {timeout_ms}ms "
            f"(id={job})"
        )


class UnknownBackoffStrategy(BullMQError):
    symbol = "UnknownBackoffStrategy"

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"Unknown backoff strategy {kind}.\n      If a custom backoff strategy is used, specify it when the queue "
            "is created."
        )


class WorkerAlreadyRunning(BullMQError):
    symbol = "WorkerAlreadyRunning"

    def __init__(self) -> None:
        super().__init__("Worker is already running.")


# --- the connection --------------------------------------------------------------------------------------------------


class ConnectionLost(BullMQError, ConnectionError):
    """Redis could not be reached, or went away before a command was sent: nothing was done."""

    transient = True


class OutcomeUnknown(ConnectionLost):
    """The connection broke after the command was sent and before its reply: it may or may not have been carried out.

    Never sent again by itself; look at the state before trying again.
    """


class ConnectionClosed(ConnectionLost):
    """The client was closed."""

    transient = False


class CrossSlot(BullMQError):
    """The keys span Cluster slots."""

    symbol = "CrossSlot"


class CommandFailed(BullMQError):
    """Redis answered a command with an error: a script that raised, a wrong type, memory, permissions."""

    symbol = "ScriptError"

    def __init__(self, text: str, *, transient: bool = False) -> None:
        super().__init__(text)
        self.transient = transient


_TRANSIENT_REPLIES = (
    redis_errors.BusyLoadingError,
    redis_errors.ReadOnlyError,
    redis_errors.ClusterDownError,
    redis_errors.MovedError,
    redis_errors.AskError,
    redis_errors.TryAgainError,
    redis_errors.MasterDownError,
    redis_errors.OutOfMemoryError,
)
_TRANSIENT_WORDS = (
    *("LOADING", "READONLY", "CLUSTERDOWN", "MOVED", "ASK", "TRYAGAIN", "MASTERDOWN"),
    *("OOM", "BUSY", "NOREPLICAS", "MISCONF", "UNBLOCKED"),
)


def is_transient(error: BaseException) -> bool:
    """Whether a later try of the same thing may succeed: lost connections, timeouts, and what Redis refuses
    for the moment: LOADING, READONLY, CLUSTERDOWN, MOVED, ASK, OOM (memory may be freed), BUSY and their like. Bad
    arguments, WRONGTYPE, NOAUTH and a script's own logic will not."""
    if isinstance(error, BullMQError):
        return error.transient
    if isinstance(error, redis_errors.AuthenticationError | redis_errors.AuthorizationError):
        return False
    if isinstance(error, _TRANSIENT_REPLIES):
        return True
    if isinstance(error, redis_errors.ResponseError):
        return str(error).startswith(_TRANSIENT_WORDS)
    return isinstance(error, ConnectionError | TimeoutError | redis_errors.ConnectionError | redis_errors.TimeoutError)


def from_reply(error: Exception) -> BullMQError:
    """The exception for an error reply of Redis."""
    text = str(error)
    if "CROSSSLOT" in text or "same slot" in text or isinstance(error, redis_errors.ClusterCrossSlotError):
        return CrossSlot(f"CROSSSLOT {text}")
    return CommandFailed(text, transient=is_transient(error))
