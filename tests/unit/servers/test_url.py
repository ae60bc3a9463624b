"""The URL of a server."""

from __future__ import annotations

import pytest

from compat.servers import ServerError
from compat.servers.server import Access
from compat.servers.url import Location, parse, redacted


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("redis://localhost", Location("localhost", 6379, Access(), cluster=False)),
        ("redis://h:7000/3", Location("h", 7000, Access(db=3), cluster=False)),
        ("redis://:p%40ss@h", Location("h", 6379, Access(None, "p@ss"), cluster=False)),
        ("rediss://u:p@h:1/", Location("h", 1, Access("u", "p", tls=True), cluster=False)),
        ("redis+cluster://h", Location("h", 6379, Access(), cluster=True)),
        ("rediss+cluster://u:p@[::1]:7", Location("::1", 7, Access("u", "p", tls=True), cluster=True)),
    ],
)
def test_a_url_says_where_and_how(url: str, location: Location) -> None:
    assert parse(url) == location


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://:s3cret@h",
        "redis://",
        "redis://:s3cret@",
        "redis://:s3cret@h:port",
        "redis://:s3cret@h:99999",
        "redis://:s3cret@h/db",
        "redis://:s3cret@h/-1",
        "redis://:s3cret@h?db=1",
        "redis://:s3/cret@h",
        "redis://u:1/s3cret@h",
        "redis://u:s3cret#@h",
        "redis://u:://s3cret@h",
        "unix:///s.sock",
    ],
)
def test_an_unreadable_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ServerError, match=r"is no URL of a Redis") as error:
        parse(url)
    assert "s3" not in str(error.value)
    assert "cret" not in str(error.value)


def test_a_url_is_shown_without_user_and_password() -> None:
    assert redacted("redis://u:p@h:1/2") == "redis://***@h:1/2"
    assert redacted("redis://h:1") == "redis://h:1"


def test_access_is_shown_without_password() -> None:
    assert "s3cret" not in repr(Access("u", "s3cret"))
