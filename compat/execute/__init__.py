"""Scenarios are run: servers, drivers and cells, and the stream of verdicts that comes of them."""

from compat.execute.run import ARMS, Options, run
from compat.execute.trouble import Unusable

__all__ = ["ARMS", "Options", "Unusable", "run"]
