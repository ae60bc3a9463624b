"""One verdict a cell; one exit code a run."""

from compat.judge.exits import exit_code
from compat.judge.timing import Sample, in_time, timed
from compat.judge.tries import TROUBLE, together
from compat.judge.verdicts import judge, oracle_trouble

__all__ = ["TROUBLE", "Sample", "exit_code", "in_time", "judge", "oracle_trouble", "timed", "together"]
