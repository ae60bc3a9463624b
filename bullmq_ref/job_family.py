"""A job's family: its parent and its children."""

from __future__ import annotations

from typing import Any

from bullmq_ref.job_record import Payload, Record, Result
from bullmq_ref.jsjson import loads
from bullmq_ref.scripts import managing


class Family(Record[Payload, Result]):
    """A job as the child of one job and the parent of others."""

    async def get_children_values(self) -> dict[str, Any]:
        """What the children returned, by their keys."""
        found = await self._owner.client.command("HGETALL", self._owner.keys.job(self.id, "processed"))
        return {key: loads(value) for key, value in zip(found[::2], found[1::2], strict=True)}

    async def get_ignored_children_failures(self) -> dict[str, str]:
        """Why children failed whose failure is ignored, by their keys."""
        found = await self._owner.client.command("HGETALL", self._owner.keys.job(self.id, "failed"))
        return dict(zip(found[::2], found[1::2], strict=True))

    async def remove_child_dependency(self) -> bool:
        """Cut the tie to the parent; True when there was one. Raises JobNotExist, ParentJobNotExist."""
        if not await managing.remove_child_dependency(self._owner.wire, self.id, self.parent_key or ""):
            return False
        self.parent = self.parent_key = None
        return True

    async def remove_unprocessed_children(self) -> None:
        """Remove the children that are neither locked nor finished."""
        await managing.remove_unprocessed_children(self._owner.wire, self.id)
