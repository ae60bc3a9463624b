"""Steps are made when they are stale, in an order that their needs allow."""

import re
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ci.stamps import Stamps
from ci.steps import Step, make, stale


class Bench:
    """Three steps in a chain and one apart, which write down that they were made."""

    def __init__(self, folder: Path) -> None:
        self.stamps = Stamps(folder)
        self.made: list[str] = []
        self.said: list[str] = []
        self.stopped = threading.Event()

    def steps(self, **keys: str) -> tuple[Step, ...]:
        def step(name: str, *needs: str) -> Step:
            return Step(name, keys.get(name, "1"), self.maker(name), needs=needs)

        return (step("venv"), step("packages", "venv"), step("project", "packages"), step("npm"))

    def maker(self, name: str) -> Callable[[], str | None]:
        def made() -> str | None:
            self.made.append(name)
            return None

        return made

    def start(self, *steps: Step) -> list[str]:
        self.made.clear()
        make(stale(steps, self.stamps), self.stamps, self.said.append, self.stopped.set)
        return list(self.made)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_first_start_makes_everything_and_the_second_nothing(bench: Bench) -> None:
    made = bench.start(*bench.steps())
    assert sorted(made) == ["npm", "packages", "project", "venv"]
    assert made.index("venv") < made.index("packages") < made.index("project")
    assert bench.start(*bench.steps()) == []


def test_a_changed_step_takes_all_that_build_on_it_along(bench: Bench) -> None:
    bench.start(*bench.steps())
    assert bench.start(*bench.steps(packages="2")) == ["packages", "project"]


def test_steps_that_do_not_need_each_other_run_side_by_side(bench: Bench) -> None:
    both = threading.Barrier(2, timeout=30)

    def meet() -> None:
        both.wait()

    assert bench.start(Step("venv", "1", meet), Step("npm", "1", meet)) == []
    assert not both.broken


def test_a_failing_step_stops_the_others_and_is_made_again_next_time(bench: Bench) -> None:
    def fail() -> None:
        raise RuntimeError("no network")

    def wait() -> None:
        assert bench.stopped.wait(30)

    steps = bench.steps()
    broken = (Step("long", "1", wait), steps[0], Step("packages", "1", fail, needs=("venv",)), steps[2])
    with pytest.raises(RuntimeError, match="no network"):
        bench.start(*broken)
    assert bench.made == ["venv"]
    assert bench.start(*steps[:3]) == ["packages", "project"]


def test_ctrl_c_while_steps_are_still_being_started_stops_those_that_run(bench: Bench) -> None:
    ended = []

    def endless() -> str | None:
        ended.append(bench.stopped.wait(20))
        return None

    class Interrupted(tuple[Step, ...]):
        """Steps of which the second cannot be reached before Ctrl-C."""

        def __iter__(self) -> Iterator[Step]:
            yield self[0]
            if ready:
                raise KeyboardInterrupt
            ready.append(True)  # the first walk only drops the stamps

    ready: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        make(Interrupted([Step("endless", "1", endless)]), bench.stamps, bench.said.append, bench.stopped.set)
    assert ended == [True]


def test_ctrl_c_that_another_thread_is_given_is_heard_at_once(bench: Bench) -> None:
    """The system may hand a signal to any thread, or to the main one just before it begins to wait."""
    ended, walks, submitted = [], [], threading.Event()

    def endless() -> str | None:
        submitted.wait(20)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        ended.append(bench.stopped.wait(20))
        return None

    class Telling(tuple[Step, ...]):
        """Steps that tell when all of them have been started: with the second walk, the first only drops stamps."""

        def __iter__(self) -> Iterator[Step]:
            yield from super().__iter__()
            walks.append(1)
            if len(walks) == 2:
                submitted.set()

    with pytest.raises(KeyboardInterrupt):
        make(Telling([Step("endless", "1", endless)]), bench.stamps, bench.said.append, bench.stopped.set)
    assert ended == [True]


def test_progress_is_told_with_seconds(bench: Bench) -> None:
    bench.start(Step("Node", "1", lambda: "v20.0.0, the one on PATH"))
    (said,) = bench.said
    assert re.fullmatch(r" +\d+\.\d s  Node \(v20\.0\.0, the one on PATH\)", said)
