"""Server processes of this harness: they share a folder and a process group, and never outlive it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from compat.servers.binary import Binary
from compat.servers.errors import ServerError

HOST = "127.0.0.1"
BUS = 10_000  # a node's Cluster bus listens on its port plus this
PORTS = range(10_000, 10_000 + BUS)  # none is a bus port too, and all lie below the ports that systems give to clients
READY_SECONDS = 10.0
POLL_SECONDS = 0.001
USERS = "users.acl"
#: What was answered is on the disk, and the users that were saved are.
DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--aclfile", USERS)

#: Waits until the harness closes its end of the pipe, however it ended, then removes the folder and ends the group. The
#: terminal's signals do not reach that group: on Ctrl-C the harness first closes its cells, then its servers.
GUARD = """trap '' HUP INT TERM; read -r _; rm -rf -- "$1" || rm -rf -- "$1"; kill -9 0"""


class PortTaken(Exception):
    """Another process got the port first; with another port the start may succeed."""


class Processes:
    """Servers that are started and killed together. Synchronous and quick, so that anything can clean up."""

    def __init__(self, binary: Binary, *, durable: bool = False) -> None:
        self.binary = binary
        self.durable = durable
        self.folder = Path(tempfile.mkdtemp(prefix="bullmq-compat-"))
        self.held = contextlib.ExitStack()  # its ports
        self._servers: dict[int, subprocess.Popen[bytes]] = {}
        self._options: dict[int, tuple[str, ...]] = {}
        try:
            self._guard = subprocess.Popen(
                ["sh", "-c", GUARD, "guard", self.folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                process_group=0,
            )
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    def launch(self, port: int, *options: str) -> None:
        """Start a server on `port`, in a folder of its own (see `home`). It is not ready yet: see `ready`."""
        self._options[port] = options
        home = self.home(port)
        home.mkdir(exist_ok=True)
        if self.durable:
            (home / USERS).touch()
            options = (*DURABLE, *options)
        arguments = ["--port", str(port), "--bind", HOST, "--dir", str(home), "--save", "", "--appendonly", "no"]
        if self.binary.debuggable:
            arguments += ["--enable-debug-command", "local"]  # DEBUG SLEEP and SET-ACTIVE-EXPIRE are faults
        with self.log(port).open("ab") as log:
            self._servers[port] = subprocess.Popen(
                [self.binary.path, *arguments, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                process_group=self._guard.pid,
            )

    def kill(self, port: int) -> None:
        """SIGKILL to the server on `port`; what it had appended to its file stays. Returns when it has ended."""
        self._servers[port].kill()
        self._servers[port].wait()

    def restart(self, port: int, *options: str) -> None:
        """Start the server on `port` again as it was, with `options` besides, once it has ended. See `ready`."""
        if self.is_up(port):
            raise ServerError(f"the server on {port} still runs", expected="one that has ended", remedy="kill it first")
        kept = self._options[port]
        self.launch(port, *kept, *options)
        self._options[port] = kept

    def is_up(self, port: int) -> bool:
        return self._servers[port].poll() is None

    def freeze(self, port: int) -> None:
        """SIGSTOP: the server on `port` keeps its connections and answers nothing, until `thaw`."""
        self._servers[port].send_signal(signal.SIGSTOP)

    def thaw(self, port: int) -> None:
        """SIGCONT. May be called again."""
        self._servers[port].send_signal(signal.SIGCONT)

    def home(self, port: int) -> Path:
        return self.folder / str(port)

    def log(self, port: int) -> Path:
        return self.folder / f"{port}.log"

    def ready(self, port: int) -> redis.Redis:
        """Wait until the server answers, and return a connection to it.

        Its answer must carry the process id that was started: two harnesses may have chosen one port at once. Raises
        `PortTaken`, or `ServerError` if it ended or did not answer in time.
        """
        server = self._servers[port]
        client = connection(port)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            ended = server.poll()
            try:
                if ended is None and client.info("server")["process_id"] == server.pid:
                    return client
            except redis.RedisError:
                pass
            if ended is not None:
                client.close()
                raise self._ended(port, ended)
            time.sleep(POLL_SECONDS)
        client.close()
        raise ServerError(
            f"{self.binary.path} did not answer in {READY_SECONDS:g} s; its log ends with\n{self._tail(port)}",
            expected="an answer within milliseconds",
            remedy="see whether the machine is overloaded or a firewall guards 127.0.0.1",
        )

    def _ended(self, port: int, code: int) -> Exception:
        tail = self._tail(port)
        if "already in use" in tail or "bind:" in tail:
            return PortTaken(port)
        return ServerError(
            f"{self.binary.path} ended with {code}; its log ends with\n{tail}",
            expected="a server that keeps running",
            remedy="name another binary, or give the URL of a running Redis",
        )

    def _tail(self, port: int) -> str:
        return "\n".join(self.log(port).read_text(errors="replace").splitlines()[-5:])

    def stop(self) -> None:
        """Kill everything and remove the folder. May be called again."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._guard.returncode is None:
                os.killpg(self._guard.pid, signal.SIGKILL)
        for process in (self._guard, *self._servers.values()):
            process.wait()
        self.held.close()
        if self._guard.stdin:
            self._guard.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def connection(port: int) -> redis.Redis:
    """A blocking connection for the time of starting; commands are never sent twice."""
    return redis.Redis(HOST, port, socket_timeout=2, retry=Retry(NoBackoff(), 0))


def free_ports(count: int, offsets: Sequence[int] = (0,), held: contextlib.ExitStack | None = None) -> tuple[int, ...]:
    """So many ports that nobody listens on now, each also free at `offsets` from it.

    Drawn from the system's own chance: harnesses that run side by side, or seed Python's, shall not draw alike. Until
    `held` is closed no harness draws them again, also while no server listens there: one that was killed comes back.
    """
    draw = random.SystemRandom()
    with contextlib.ExitStack() as claims:
        found: set[int] = set()
        for _ in range(1000):
            if len(found) == count:
                if held is not None:
                    held.push(claims.pop_all())
                return tuple(found)
            port = draw.choice(PORTS)
            if all(_free(port + offset) for offset in offsets) and _claimed(port, claims):
                found.add(port)
    raise ServerError(
        f"{len(found)} free ports from {PORTS.start} to {PORTS.stop - 1}",
        expected=f"{count} of them",
        remedy="end what holds them",
    )


def _claimed(port: int, claims: contextlib.ExitStack) -> bool:
    """Claims a port by the UDP port of its number, which servers leave alone and the system frees, however we end."""
    claim = claims.enter_context(socket.socket(type=socket.SOCK_DGRAM))
    return _bound(claim, port)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        return _bound(probe, port)


def _bound(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind((HOST, port))
    except OSError:
        return False
    return True
