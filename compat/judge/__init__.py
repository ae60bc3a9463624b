"""One verdict a cell; one exit code a run."""

from compat.judge.exits import exit_code
from compat.judge.verdicts import judge, oracle_trouble

__all__ = ["exit_code", "judge", "oracle_trouble"]
