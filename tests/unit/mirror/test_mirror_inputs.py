"""What a job is given, as its hash tells it; and the rights that docs/mirror.md gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.mirror import journal, source
from compat.mirror.model import Input
from compat.mirror.source import input_of

ROOT = Path(__file__).resolve().parents[3]


def test_a_job_is_given_its_name_its_data_and_what_decides_how_it_is_tried_again() -> None:
    fields = [b"mail", b'{"a": "\\ud83d"}', b'{"attempts":3,"delay":5}', b"1700000000000"]
    assert input_of(fields, 0) == Input("mail", '{"a": "\\ud83d"}', {"attempts": 3, "timestamp": 1_700_000_000_000})


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "removed"),
        (b"{'a': 1}", "no JSON"),
        (b"NaN", "no JSON"),
        (b'"\xff"', "no JSON"),
        (b'{"a": {"$int": "5"}}', "keeps for itself"),
        (b'"' + b"x" * source.LARGEST + b'"', "larger"),
    ],
)
def test_a_job_that_cannot_be_replayed_is_told_why(data: bytes | None, why: str) -> None:
    found = input_of([b"mail", data, b"{}", b"1"], 0)
    assert isinstance(found, str)
    assert why in found


def test_a_job_with_children_is_not_replayed() -> None:
    assert "children" in str(input_of([b"mail", b"{}", b"{}", b"1"], 1))


def test_the_page_gives_the_rights_that_the_tests_try() -> None:
    page = (ROOT / "docs" / "mirror.md").read_text("utf-8")
    assert f"ACL SETUSER reader on >secret {source.acl('bull', 'mail')}\n" in page
    assert f"ACL SETUSER mirror on >secret {journal.acl('{mirror}')}\n" in page
