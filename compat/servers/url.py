"""The URL of a server: where it is and how one gets in."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from compat.servers.errors import ServerError
from compat.servers.server import Access

PORT = 6379
SCHEMES = ("redis", "rediss", "redis+cluster", "rediss+cluster")


@dataclass(frozen=True)
class Location:
    """A URL, read. `cluster`: it says that a Cluster is there (without saying so, one may be)."""

    host: str
    port: int
    access: Access
    cluster: bool


def parse(url: str) -> Location:
    """Read `redis[s][+cluster]://[[user]:password@]host[:port][/db]`. Raises `ServerError`, without the password."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORT
        db = int(parts.path.strip("/") or 0)
    except ValueError:
        raise _unreadable(url) from None
    if parts.scheme not in SCHEMES or not parts.hostname or db < 0 or parts.query or parts.fragment:
        raise _unreadable(url)
    return Location(
        parts.hostname,
        port,
        Access(
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=parts.scheme.startswith("rediss"),
            db=db,
        ),
        cluster=parts.scheme.endswith("+cluster"),
    )


def redacted(url: str) -> str:
    """The URL as it may be shown: with `***` for all that stands before the last `@`."""
    scheme, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    _, at, place = rest.rpartition("@")
    return f"{scheme}{mark}{'***@' if at else ''}{place}"


def _unreadable(url: str) -> ServerError:
    return ServerError(
        f"{redacted(url)!r} is no URL of a Redis",
        expected="redis[s][+cluster]://[[user]:password@]host[:port][/db]",
        remedy="correct the URL (percent-encode what is special in the password)",
    )
