"""Each seeded fault is killed by a named scenario, and for the right reason (T163)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from faults import FAULTS
from ground import Ground
from kills import KILLS

from compat.drivers import Pool
from compat.drivers.implementations import NODE_TARGET
from compat.scenarios import pick
from compat.servers import Running

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def _unmeasured() -> Iterator[None]:
    """What mutants run of the library says nothing about its tests, and measuring it takes as long as they do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(
    _unmeasured: None, _single: Running, _cluster: Running, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ground]:
    pool = Pool(bullmq=NODE_TARGET)
    async with _single.server() as single, _cluster.server() as cluster:
        try:
            yield Ground({"single": single, "cluster": cluster}, pool, tmp_path_factory.mktemp("mutants") / "fault")
        finally:
            await pool.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("fault", KILLS)
async def test_a_seeded_fault_is_killed_for_the_right_reason(ground: Ground, fault: str) -> None:
    name, check = KILLS[fault]
    (scenario,) = pick(ROOT / "scenarios", [name])
    verdict = await ground.play(fault, scenario)
    if scenario.timing and verdict.word == "pass":  # on a busy machine Node itself was late
        verdict = await ground.play(fault, scenario)
    assert verdict.word == "fail", verdict
    told = {difference.check.split("/", name.count("/") + 1)[-1] for difference in verdict.differences}
    assert check in told, (told, [difference.words for difference in verdict.differences])


def test_every_fault_has_a_pair_and_every_pair_a_fault() -> None:
    assert KILLS.keys() == FAULTS.keys()
