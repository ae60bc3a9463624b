"""The watch on a live queue: reads only, in samples of bounded cost, and tells which laws do not hold."""

from compat.watch.findings import Finding
from compat.watch.line import CannotLook
from compat.watch.watcher import Watch

__all__ = ["CannotLook", "Finding", "Watch"]
