"""Which tests run with which arguments."""

import pytest

from ci import suite


@pytest.mark.parametrize(
    ("arguments", "everything"),
    [
        ((), True),
        (("-x", "-v", "--durations=5"), True),
        (("tests/unit",), False),
        (("-k", "stamps"), False),
        (("-kstamps",), False),
        (("-m", "not docker"), False),
        (("--lf",), False),
        (("--collect-only",), False),
        (("--help",), False),
    ],
)
def test_coverage_is_asked_of_the_whole_suite_only(arguments: tuple[str, ...], everything: bool) -> None:
    words = suite.pytest_arguments(arguments)
    assert ("--cov-fail-under=80" in words) is everything
    assert words[-len(arguments) or len(words) :] == arguments


def test_tests_run_on_all_cores_and_while_others_wait() -> None:
    assert suite.pytest_arguments(())[:2] == ("-n", str(suite.cores() + 1))
    assert suite.cores() >= 1
