"""`bullmq-compat`: its commands, each loaded when it is asked for, and the exit code of whatever happens."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from compat.cli.exits import INTERRUPTED, NO_READER, TERMINATED, UNUSABLE, USAGE, Terminated

#: Name → module under `compat.cli` whose `command` it is, and what it does.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Run scenarios against a port and tell what differs from Node."),
    "list": ("listing", "List the scenarios."),
    "show": ("show", "Tell a scenario in words: what is done, and what must be true."),
    "lint": ("lint", "Check scenario files without running them."),
    "doctor": ("doctor", "Look whether everything that is needed is there."),
    "stability": ("stability", "Run the oracle against itself, many times over."),
    "coverage": ("coverage", "Tell how much of BullMQ's Lua the scenarios run."),
    "bench": ("bench", "Measure bullmq_ref beside its peers."),
    "watch": ("watch", "Look at a live queue, without writing, and tell what is wrong with it."),
    "mirror": ("mirror", "Run a live queue's jobs again with a new worker, and compare how they end."),
    "chaos": ("chaos", "Let Node and bullmq_ref share a queue while things break, and count what is lost."),
    "shadow": ("shadow", "Let a port's worker share a queue with Node's, and compare what both make of it."),
    "setup": ("setup", "Make an installed harness ready: Node's BullMQ, once."),
    "driver": ("driver", "Write a driver: a skeleton, a check, a replay."),
    "report": ("report", "Make HTML, Markdown, a badge or a matrix of the records of runs."),
    "combine": ("combine", "Put the records of all shards together."),
    "baseline": ("baseline", "Write down the differences that are known, and check them."),
    "record": ("record", "Write down what the oracle leaves, for a gate without Node."),
    "drift": ("drift", "Tell whether a live oracle still leaves what was recorded."),
    "schema": ("schemas", "Print the JSON schema of scenarios or of the protocol."),
}

EPILOG = """\b
Examples:
  bullmq-compat run                         bullmq_ref, all scenarios
  bullmq-compat run 'retry/*' --impl 'cmd:./driver --flag'
  bullmq-compat show retry/fixed
  bullmq-compat doctor

\b
Exit codes:
  0   clean: no difference at or above the gate
  1   differences
  2   stale baseline: an entry of known.yaml no longer tells the truth
  3   error or invalid: something could not be run or judged
  64  usage: the command line is wrong
  130 interrupted (143: terminated)
"""


class _Lazy(click.Group):
    """A group that imports a command only to run it: help must not wait for Redis clients and YAML readers."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"compat.cli.{COMMANDS[cmd_name][0]}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(COMMANDS)}"
            ctx.fail(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Lazy, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bullmq-compat", message="bullmq-compat %(version)s")
def cli() -> None:
    """The conformance test for BullMQ ports.

    Scenarios drive Node BullMQ and a port through the same steps on a real Redis and a real Cluster; every key and
    every event that they leave is compared.
    """


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code; see `bullmq-compat --help` for what they mean."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character must not end a run
    try:
        code = cli.main(args, prog_name="bullmq-compat", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        error.show()
        code = USAGE
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        code = INTERRUPTED
    except Terminated:
        click.echo("terminated", err=True)
        code = TERMINATED
    except (BrokenPipeError, SystemExit):  # the latter is click's, for the former
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
        code = NO_READER
    except Exception:
        import traceback

        traceback.print_exc()
        click.echo("This is a fault of bullmq-compat itself: please report it, with the lines above.", err=True)
        code = UNUSABLE
    sys.exit(code or 0)
