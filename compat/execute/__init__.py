"""Scenarios are run: servers, drivers and cells, and the stream of verdicts that comes of them."""

from compat.execute.bench import Bench, bench
from compat.execute.options import ARMS, Options
from compat.execute.run import run
from compat.execute.trouble import Unusable

__all__ = ["ARMS", "Bench", "Options", "Unusable", "bench", "run"]
