"""The command line: arguments in, one call, an exit code out."""

from compat.cli.app import main

__all__ = ["main"]
