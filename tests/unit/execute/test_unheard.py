"""What a port's driver leaves uncompared is told."""

import pytest

from compat.execute.run import unheard
from compat.protocol.messages import Capabilities, Welcome


@pytest.mark.parametrize(
    ("capabilities", "left_out"),
    [
        (Capabilities(worker=("open", "event"), events=("open", "event")), []),
        (Capabilities(worker=("open",), events=("open", "event")), ["workers"]),
        (Capabilities(worker=("open",), events=("open",)), ["workers", "readers"]),
        (Capabilities(queue=("open",)), []),  # it has none of them
    ],
)
def test_workers_and_readers_whose_driver_does_not_pass_on_their_events(
    capabilities: Capabilities, left_out: list[str]
) -> None:
    told = unheard(Welcome("gopherq", "0.3.1", "Go", "5.62.0", capabilities=capabilities))
    assert [words.split()[2] for words in told] == left_out
    assert all("gopherq's" in words and ".event` in its capabilities" in words for words in told)
