"""What `mirror` refuses before it asks any server."""

from __future__ import annotations

from typing import Any

import pytest

GIVEN = ("mirror", "--queue", "q", "--server", "redis://127.0.0.1:1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--shadow-prefix", "bull"), "share keys"),
        (("--prefix", "bull:a", "--shadow-prefix", "bull"), "share keys"),
        (("--prefix", "bull", "--shadow-prefix", "bull:mirror"), "share keys"),
        (("--sample", "0%"), "write 10%"),
        (("--sample", "0.1"), "write 10%"),
        (("--from", "yesterday"), "write now, start"),
        (("--ignore", "root[at]"), "root['at']"),
        (("--for", "soon"), "write 60s"),
    ],
)
def test_a_wrong_argument_is_a_usage_error_that_says_what_is_right(
    call: Any, arguments: tuple[str, ...], words: str
) -> None:
    code, _, err = call(*GIVEN, *arguments)
    assert (code, words in err) == (64, True), err


@pytest.mark.parametrize("shadow", [(), ("--shadow-server", "embedded")])
def test_a_server_that_is_away_ends_it_without_a_traceback_or_the_password(call: Any, shadow: tuple[str, ...]) -> None:
    code, _, err = call("mirror", "--queue", "q", "--server", "redis://:geheim@127.0.0.1:1", *shadow)
    assert code == 3
    assert err.startswith("Error: 127.0.0.1:1")
    assert "geheim" not in err
