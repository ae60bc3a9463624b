"""Real Redis servers: embedded ones that this harness starts, and given ones that it is a guest on."""

from compat.servers.binary import Binary, find_binary
from compat.servers.errors import ServerError
from compat.servers.guest import given
from compat.servers.node import Node, slot_of
from compat.servers.own import Running, embedded, start
from compat.servers.server import CLIENT_NAME, Server

__all__ = [
    "CLIENT_NAME",
    "Binary",
    "Node",
    "Running",
    "Server",
    "ServerError",
    "embedded",
    "find_binary",
    "given",
    "slot_of",
    "start",
]
