"""Faults of a client's connections, struck at the proxy they go through: replies lost, resets, silence, and scripts
that are forgotten while a pipeline is on its way."""

from __future__ import annotations

import asyncio
from abc import abstractmethod

from redis.exceptions import RedisError

from compat.faults import catalogue
from compat.faults.fault import Fault
from compat.faults.proxy import Link, Proxy, is_redirection
from compat.servers import Server, ServerError

_SCRIPTS = frozenset({b"EVAL", b"EVALSHA"})


class ProxyFault(Fault):
    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self.proxy = proxy


class InWait(ProxyFault):
    """A fault that lies in wait for a command. `happened` tells when it has come; `missed` says why it has not."""

    missed: str

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(proxy)
        self.happened = asyncio.Event()

    async def _strike(self) -> None:
        self.proxy.armed.append(self)

    async def _mend(self) -> None:
        self._disarm()

    def _disarm(self) -> None:
        if self in self.proxy.armed:
            self.proxy.armed.remove(self)

    def meets(self, command: list[bytes]) -> bool:
        """Whether it is this command that it waits for; it waits for no other then."""
        if not self._meant(command):
            return False
        self._disarm()
        return True

    def spares(self, reply: bytes) -> bool:
        """The client may have any reply."""
        return True

    @abstractmethod
    def _meant(self, command: list[bytes]) -> bool: ...

    @abstractmethod
    async def befall(self, link: Link) -> None:
        """Let it happen on this connection, before the command goes to Redis."""


class ReplyLost(InWait):
    """The next command with `word` in one of its words, whatever the case, is carried out; instead of its reply, and of
    any that would have come with it, the client gets a reset. A redirection carries nothing out: the client gets it,
    and the reply of the node it leads to is lost. `carried_out=False`: Redis does not get the command, either."""

    about = catalogue.REPLY_LOST

    def __init__(self, proxy: Proxy, word: bytes, *, carried_out: bool = True) -> None:
        super().__init__(proxy)
        self.word, self.carried_out = word.lower(), carried_out
        self.missed = f"no command with {self.word.decode()!r} was sent, so no reply was lost"

    def _meant(self, command: list[bytes]) -> bool:
        return any(self.word in word.lower() for word in command)

    async def befall(self, link: Link) -> None:
        if self.carried_out:
            link.watch(self)
            return
        link.reset()
        self.happened.set()
        raise EOFError

    def spares(self, reply: bytes) -> bool:
        if is_redirection(reply):
            if self.struck:
                self.proxy.armed.append(self)
            return True
        self.happened.set()
        return False


class ScriptsFlushedWithin(InWait):
    """SCRIPT FLUSH between two commands of one client, even of one pipeline: when all before it are answered and the
    call of a script is next, the `before`-th from now on. In a transaction answered means queued."""

    about = catalogue.SCRIPTS_FLUSHED_WITHIN

    def __init__(self, server: Server, proxy: Proxy, before: int) -> None:
        super().__init__(proxy)
        server.must_be_own(f"the fault {self.about.name} is done")
        self.server, self.before = server, before
        self.missed = f"fewer than {before} scripts were called, so none was to come when scripts would be flushed"
        self._calls = 0
        self._problem: RedisError | None = None

    def _meant(self, command: list[bytes]) -> bool:
        self._calls += command[0].upper() in _SCRIPTS
        return self._calls == self.before

    async def befall(self, link: Link) -> None:
        await link.answered()
        try:
            await self.server.client(link.node).execute_command("SCRIPT", "FLUSH")  # type: ignore[no-untyped-call]
        except RedisError as error:
            self._problem = error
        self.happened.set()

    async def _mend(self) -> None:
        await super()._mend()
        if self._problem is not None:
            raise ServerError(
                f"SCRIPT FLUSH on {self.server.title}: {self._problem}",
                expected="OK",
                remedy="see whether the server still runs",
            )


class ConnectionReset(ProxyFault):
    """Every connection is reset, whatever is under way."""

    about = catalogue.CONNECTION_RESET

    async def _strike(self) -> None:
        for link in tuple(self.proxy.links):
            link.reset()


class HalfOpen(ProxyFault):
    """Nothing goes through any more, either way, not even an end, and nobody is told; new connections are accepted and
    carry nothing, unless `anew`. With `blocked`, only where a client waits in a blocking command (true), or does not
    (false). The mending lets all through that has been held back."""

    about = catalogue.HALF_OPEN

    def __init__(self, proxy: Proxy, *, blocked: bool | None = None, anew: bool = False) -> None:
        super().__init__(proxy)
        self.blocked, self.anew = blocked, anew

    async def _strike(self) -> None:
        self.proxy.frozen = not self.anew
        for link in self.proxy.links:
            if self.blocked in (None, link.blocked):
                link.freeze()

    async def _mend(self) -> None:
        self.proxy.frozen = False
        for link in self.proxy.links:
            link.thaw()
