"""A flow: a parent that waits for its children, in other queues, and works with what they returned."""

import asyncio
import os

from bullmq_ref import FlowJob, FlowProducer, Job, JobOptions, Queue, QueueEvents, Worker

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")


async def render(job: Job, token: str) -> str:
    if job.data["page"] == 3:
        raise ValueError("page 3 is torn")
    return f"page {job.data['page']}"


async def bind(job: Job, token: str) -> dict[str, list[str]]:
    pages = await job.get_children_values()
    missing = await job.get_ignored_children_failures()
    return {"pages": sorted(pages.values()), "missing": list(missing.values())}


async def main() -> None:
    book = FlowJob(
        "book",
        queue="books",
        data={"title": "On Queues"},
        children=[
            # Without an option, a failed child leaves its parent waiting. This one lets it go on without the page.
            FlowJob("page", "pages", {"page": n}, JobOptions(ignore_dependency_on_failure=True))
            for n in (1, 2, 3)
        ],
    )
    async with (
        FlowProducer(connection=REDIS) as flows,
        Queue("books", connection=REDIS) as books,
        QueueEvents("books", connection=REDIS) as events,
    ):
        added = await flows.add(book)  # all of it at once, or nothing
        print("the book is", await books.get_job_state(added.job.id))
        async with Worker("pages", render, connection=REDIS), Worker("books", bind, connection=REDIS):
            print(await added.job.wait_until_finished(events, 10_000))


asyncio.run(main())
