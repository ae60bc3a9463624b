"""One verdict a cell; one exit code a run."""

from compat.judge.exits import exit_code
from compat.judge.tries import TROUBLE, together
from compat.judge.verdicts import judge, oracle_trouble

__all__ = ["TROUBLE", "exit_code", "judge", "oracle_trouble", "together"]
