"""`bullmq-compat setup`: Node's BullMQ for a harness that was installed from a wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click

from compat.cli.exits import Unfit

_OLDEST = 18
_EPILOG = """\b
Examples:
  bullmq-compat setup
  BULLMQ_COMPAT_HOME=/srv/compat bullmq-compat setup

\b
Exit codes: 0 ready, 3 something is missing.
"""


@click.command(epilog=_EPILOG)
def command() -> int:
    """Make an installed harness ready: Node's BullMQ, once.

    Puts the Node driver and the npm packages it needs into BULLMQ_COMPAT_HOME, else into the user's data folder. Needs
    Node 18 or later with npm on PATH, and the npm registry. In a checkout, `python3 ci setup` does this.
    """
    from compat.drivers.places import CAME_ALONG, in_checkout, root

    if in_checkout():
        raise Unfit("this is a checkout, not an installed package", "python3 ci setup")
    home = root()
    folder = home / "node"
    npm = _npm()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(CAME_ALONG, folder, dirs_exist_ok=True)
    except OSError as error:
        raise Unfit(f"{folder} cannot be written: {error}", "name another folder with BULLMQ_COMPAT_HOME") from None
    _install(npm, folder)
    click.echo(f"ready: {folder}")
    return 0


def _npm() -> str:
    """npm's path, where Node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        missing = "node" if node is None else "npm"
        raise Unfit(f"no `{missing}` was found on PATH", f"install Node {_OLDEST} or later with npm, then repeat")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    found = re.match(r"v(\d+)\.", said)
    if found is None or int(found[1]) < _OLDEST:
        raise Unfit(f"{node} is {said or 'no Node that answers'}", f"put Node {_OLDEST} or later first on PATH")
    return npm


def _install(npm: str, folder: Path) -> None:
    words = [npm, "ci", "--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        hint = "npm needs its registry; behind a proxy or a mirror, configure npm for it, then repeat"
        raise Unfit(f"`npm ci` in {folder} ended with exit code {done.returncode}:\n{last}", hint)
