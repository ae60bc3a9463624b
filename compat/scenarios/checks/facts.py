"""Facts: what `expect` says can be looked up, and says something."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from compat.model.facts import Fact
from compat.model.scenario import Scenario
from compat.scenarios.checks.names import facts_of, job_labels, labels_of
from compat.scenarios.checks.shape import fields_of
from compat.scenarios.checks.waits import STATES
from compat.scenarios.complaint import Complaint, nearest

END = "end"  # the capture after the last step
SUBJECTS = ("job", "key", "call", "counts", "events", "processed")
#: What is said of a job; everything else is said of the queue, a key or a call.
OF_A_JOB = tuple(
    field.encode_name
    for field in fields_of(Fact)
    if field.name not in ("at", "queue", "value", "returns", "exists", *SUBJECTS)
)
#: `getState` on Node says `waiting` for both lists; captures tell them apart.
JOB_STATES = (*STATES, "unknown")


def there_is_a_fact(scenario: Scenario) -> Iterator[Complaint]:
    """A scenario says what must be true, or it could not fail on the oracle."""
    if not scenario.expect:
        yield Complaint(("expect",), "it is empty; say at least one thing that must be true of Node")


def facts_say_something(scenario: Scenario) -> Iterator[Complaint]:
    """A fact has one subject and at least one thing said of it."""
    for path, fact in facts_of(scenario):
        said = _said(fact)
        subjects = [name for name in SUBJECTS[:3] if name in said]
        aside = [name for name in SUBJECTS[3:] if name in said]
        if len(subjects) > 1 or (subjects and aside) or not (subjects or aside):
            seen = ", ".join(subjects + aside) or "none"
            yield Complaint(path, f"its subjects are: {seen}; a fact has one of {', '.join(SUBJECTS)}")
            continue
        of_job = [name for name in OF_A_JOB if name in said]
        if fact.job is None and of_job:
            yield Complaint((*path, of_job[0]), f"`{of_job[0]}` is said of a job, and none is named; add `job`")
        if fact.job is not None and not of_job and fact.exists is None:
            yield Complaint(path, f"nothing is said of the job `{fact.job}`; add a field such as `state`")
        if fact.key is not None and fact.exists is None and fact.value is UNSET:
            yield Complaint(path, "say `exists: true`, `exists: false` or what it `is`")
        if fact.call is not None and fact.returns is UNSET:
            yield Complaint(path, "say what the call `returns`")


def facts_name_what_is_there(scenario: Scenario) -> Iterator[Complaint]:
    """A fact's job, call and capture exist; its states are states; captures have names of their own."""
    jobs = job_labels(scenario)
    calls = {label for step in scenario.steps for _, label in labels_of(step)}
    captures: set[str] = set()
    for index, step in enumerate(scenario.steps):
        if step.capture is None:
            continue
        if step.capture in captures or step.capture == END:
            message = (
                f"there is a capture `{step.capture}` already (`{END}` is taken after the last step); choose another"
            )
            yield Complaint(("steps", index, "capture"), message)
        captures.add(step.capture)
    for path, fact in facts_of(scenario):
        if fact.job is not None and fact.job not in jobs:
            yield Complaint((*path, "job"), f"no step names a job `{fact.job}`; {nearest(fact.job, jobs)}")
        for label in fact.processed or ():
            if label not in jobs:
                yield Complaint((*path, "processed"), f"no step names a job `{label}`; {nearest(label, jobs)}")
        if fact.call is not None and fact.call not in calls:
            yield Complaint((*path, "call"), f"no call is labelled `{fact.call}`; {nearest(fact.call, calls)}")
        if fact.at is not None and fact.at not in captures | {END}:
            yield Complaint((*path, "at"), f"there is no capture `{fact.at}`; {nearest(fact.at, captures | {END})}")
        for state in fact.counts or {}:
            if state not in STATES:
                yield Complaint((*path, "counts", state), f"there is no state `{state}`; {nearest(state, STATES)}")
        if fact.state is not None and fact.state not in JOB_STATES:
            yield Complaint((*path, "state"), f"there is no state `{fact.state}`; {nearest(fact.state, JOB_STATES)}")


def _said(fact: Fact) -> set[str]:
    fields = {field.encode_name: getattr(fact, field.name) for field in fields_of(Fact)}
    return {name for name, value in fields.items() if value is not None and value is not UNSET}
