"""A job's family: its parent and its children."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bullmq_ref.client import Argument
from bullmq_ref.errors import Invalid
from bullmq_ref.job_record import Payload, Record, Result
from bullmq_ref.jsjson import loads
from bullmq_ref.scripts import managing, reading, working
from bullmq_ref.wire import flat

#: The kinds of children by the API's names, with the part of the parent's keys that holds each. The parent survives
#: the failure of `ignored` children, not that of `failed` ones; the keys are named otherwise.
KINDS: Final = {
    "processed": "processed",
    "unprocessed": "dependencies",
    "ignored": "failed",
    "failed": "unsuccessful",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of children: from `cursor` (0, or what the last page told), about `count` of them."""

    cursor: int = 0
    count: int = 20


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Children by their keys: what the processed ones returned, who is pending, why ignored ones failed, who failed.

    None where a kind was not asked for. The cursors stand for the next page, 0 being the end; None without pages.
    """

    processed: dict[str, Any] | None = None
    unprocessed: list[str] | None = None
    ignored: dict[str, str] | None = None
    failed: list[str] | None = None
    next_processed_cursor: int | None = None
    next_unprocessed_cursor: int | None = None
    next_ignored_cursor: int | None = None
    next_failed_cursor: int | None = None


class Family(Record[Payload, Result]):
    """A job as the child of one job and the parent of others. Children are named by their keys, prefix and all."""

    async def get_children_values(self) -> dict[str, Any]:
        """What the children returned, by their keys."""
        return _values(await self._owner.client.command("HGETALL", self._part("processed")))

    async def get_ignored_children_failures(self) -> dict[str, str]:
        """Why children failed that ended with `ignoreDependencyOnFailure` or `continueParentOnFailure`."""
        return flat(await self._owner.client.command("HGETALL", self._part("ignored")))

    async def get_dependencies(
        self,
        *,
        processed: Page | None = None,
        unprocessed: Page | None = None,
        ignored: Page | None = None,
        failed: Page | None = None,
    ) -> Dependencies:
        """All children; with pages, those kinds only. Pages of small families hold all of them, and a page of `failed`
        ends at position `count - 1` wherever it begins, as in Node."""
        asked = {"processed": processed, "unprocessed": unprocessed, "ignored": ignored, "failed": failed}
        pages = {kind: page for kind, page in asked.items() if page is not None}
        if not pages:
            commands = [[_WHOLE[kind], self._part(kind), *_ALL.get(kind, ())] for kind in KINDS]
            answers = await self._owner.client.transaction(*commands)
            return Dependencies(**{kind: _READ[kind](reply) for kind, reply in zip(KINDS, answers, strict=True)})
        found: dict[str, Any] = {}
        answers = await self._owner.client.transaction(*(self._scan(kind, page) for kind, page in pages.items()))
        for (kind, page), reply in zip(pages.items(), answers, strict=True):
            cursor, members = (page.cursor + page.count, reply) if kind == "failed" else (int(reply[0]), reply[1])
            found[kind] = _READ[kind](members)
            found[f"next_{kind}_cursor"] = cursor
        return Dependencies(**found)

    async def get_dependencies_count(self, *kinds: str) -> dict[str, int]:
        """How many children there are of each kind: `processed`, `unprocessed`, `ignored`, `failed`; all by default."""
        if unknown := set(kinds) - KINDS.keys():
            raise Invalid(f"kinds are {', '.join(KINDS)}; not {', '.join(sorted(unknown))}", field="kinds")
        asked = kinds or tuple(KINDS)
        return dict(zip(asked, await reading.get_dependency_counts(self._owner.wire, self.id, asked), strict=True))

    async def move_to_waiting_children(self, token: str, child: Mapping[str, str] | None = None) -> bool:
        """From active to waiting-children: True when moved (then raise WaitingChildrenError), False when no child, or
        not this `child` (`{id, queue}`, the queue with its prefix), is pending. Raises JobHasFailedChildren, and as
        the script."""
        key = f"{child['queue']}:{child['id']}" if child else None
        return await working.move_to_waiting_children(self._owner.wire, self.id, token, child=key)

    async def remove_child_dependency(self) -> bool:
        """Cut the tie to the parent; True when there was one. Raises JobNotExist, ParentJobNotExist."""
        if not await managing.remove_child_dependency(self._owner.wire, self.id, self.parent_key or ""):
            return False
        self.parent = self.parent_key = None
        return True

    async def remove_unprocessed_children(self) -> None:
        """Remove the children that are neither locked nor finished."""
        await managing.remove_unprocessed_children(self._owner.wire, self.id)

    def _part(self, kind: str) -> str:
        return self._owner.keys.job(self.id, KINDS[kind])

    def _scan(self, kind: str, page: Page) -> list[Argument]:
        if kind == "failed":
            return ["ZRANGE", self._part(kind), page.cursor, page.count - 1]
        scan = "SSCAN" if kind == "unprocessed" else "HSCAN"
        return [scan, self._part(kind), page.cursor, "COUNT", page.count]


def _values(members: list[str]) -> dict[str, Any]:
    return {key: loads(value) for key, value in flat(members).items()}


_WHOLE: Final = {"processed": "HGETALL", "unprocessed": "SMEMBERS", "ignored": "HGETALL", "failed": "ZRANGE"}
_ALL: Final[dict[str, tuple[Argument, ...]]] = {"failed": (0, -1)}
_READ: Final[dict[str, Callable[[list[str]], Any]]] = {
    "processed": _values,
    "unprocessed": list,
    "ignored": flat,
    "failed": list,
}
