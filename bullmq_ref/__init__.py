"""An asyncio library that speaks BullMQ 5.62.0 exactly as Node does."""

from bullmq_ref.errors import (
    AttemptCancelled,
    AttemptTimedOut,
    BullMQError,
    CommandFailed,
    ConnectionClosed,
    ConnectionLost,
    CrossSlot,
    DelayedError,
    Invalid,
    LockLost,
    OutcomeUnknown,
    RateLimitError,
    Refused,
    UnrecoverableError,
    WaitingChildrenError,
    WaitingError,
    is_transient,
)
from bullmq_ref.flow import FlowJob, FlowProducer, JobNode
from bullmq_ref.getters import Logs, Metrics, MetricsMeta, RateLimit
from bullmq_ref.job import Job
from bullmq_ref.job_family import Dependencies, Page
from bullmq_ref.job_scheduler import JobScheduler, SchedulerRecord, SchedulerTemplate
from bullmq_ref.jsjson import UNDEFINED
from bullmq_ref.options import (
    Backoff,
    Deduplication,
    JobOptions,
    JobTelemetry,
    Keep,
    Limits,
    RepeatOptions,
    WorkerOptions,
)
from bullmq_ref.processors import from_thread
from bullmq_ref.queue import Queue
from bullmq_ref.queue_events import QueueEvents
from bullmq_ref.queue_events_producer import QueueEventsProducer
from bullmq_ref.reach import RedisOptions
from bullmq_ref.repeat import RepeatableJob
from bullmq_ref.sandbox import Sandbox
from bullmq_ref.service import run_until_signal
from bullmq_ref.worker import Worker

__all__ = [
    "UNDEFINED",
    "AttemptCancelled",
    "AttemptTimedOut",
    "Backoff",
    "BullMQError",
    "CommandFailed",
    "ConnectionClosed",
    "ConnectionLost",
    "CrossSlot",
    "Deduplication",
    "DelayedError",
    "Dependencies",
    "FlowJob",
    "FlowProducer",
    "Invalid",
    "Job",
    "JobNode",
    "JobOptions",
    "JobScheduler",
    "JobTelemetry",
    "Keep",
    "Limits",
    "LockLost",
    "Logs",
    "Metrics",
    "MetricsMeta",
    "OutcomeUnknown",
    "Page",
    "Queue",
    "QueueEvents",
    "QueueEventsProducer",
    "RateLimit",
    "RateLimitError",
    "RedisOptions",
    "Refused",
    "RepeatOptions",
    "RepeatableJob",
    "Sandbox",
    "SchedulerRecord",
    "SchedulerTemplate",
    "UnrecoverableError",
    "WaitingChildrenError",
    "WaitingError",
    "Worker",
    "WorkerOptions",
    "from_thread",
    "is_transient",
    "run_until_signal",
]
