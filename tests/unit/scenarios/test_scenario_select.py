"""Selection by glob and tag."""

from __future__ import annotations

import pytest
from msgspec import structs

from compat.model.scenario import Scenario
from compat.scenarios import NoSuchScenario, load_text, select


@pytest.fixture
def scenarios(good: str) -> tuple[Scenario, ...]:
    base = load_text(good)
    named = {"job/add": ("smoke",), "retry/fixed": (), "retry/jitter": ("smoke", "slow")}
    return tuple(structs.replace(base, id=name, tags=tags) for name, tags in named.items())


def chosen(scenarios: tuple[Scenario, ...], *patterns: str, tags: tuple[str, ...] = ()) -> list[str]:
    return [scenario.id for scenario in select(scenarios, patterns, tags)]


def test_nothing_said_chooses_everything(scenarios: tuple[Scenario, ...]) -> None:
    assert chosen(scenarios) == ["job/add", "retry/fixed", "retry/jitter"]


def test_globs_choose_by_id_and_tags_narrow(scenarios: tuple[Scenario, ...]) -> None:
    assert chosen(scenarios, "retry/*") == ["retry/fixed", "retry/jitter"]
    assert chosen(scenarios, "job/add", "*/fixed") == ["job/add", "retry/fixed"]
    assert chosen(scenarios, "retry/*", tags=("smoke",)) == ["retry/jitter"]


def test_a_pattern_without_a_match_is_an_error_that_names_what_is_near(scenarios: tuple[Scenario, ...]) -> None:
    with pytest.raises(NoSuchScenario, match="did you mean `retry/fixed`"):
        select(scenarios, ["retry/fixd"])
    with pytest.raises(NoSuchScenario, match=r"did you mean `retry/\*`"):
        select(scenarios, ["retri/*"])


def test_a_pattern_like_no_other_is_told_the_folders_and_not_every_scenario(scenarios: tuple[Scenario, ...]) -> None:
    with pytest.raises(NoSuchScenario) as error:
        select(scenarios, ["zzz/qqq"])
    assert str(error.value) == "no scenario matches `zzz/qqq`; there are `job/*`, `retry/*`"


def test_a_name_that_shares_no_more_than_its_folder_is_told_all_names_of_the_folder(
    scenarios: tuple[Scenario, ...],
) -> None:
    with pytest.raises(NoSuchScenario) as error:
        select(scenarios, ["retry/zz"])
    assert str(error.value) == "no scenario matches `retry/zz`; there are `retry/fixed`, `retry/jitter`"


def test_a_tag_without_a_match_is_an_error(scenarios: tuple[Scenario, ...]) -> None:
    with pytest.raises(NoSuchScenario, match="did you mean `smoke`"):
        select(scenarios, tags=["smok"])
    with pytest.raises(NoSuchScenario, match="job/add"):
        select(scenarios, ["job/add"], ["slow"])
