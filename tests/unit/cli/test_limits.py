"""The limits that a report names are those of LIMITS.md."""

import re
from pathlib import Path

from compat.cli.limits import limits

ROOT = Path(__file__).parents[3]


def test_each_limit_of_the_page_is_told_as_plain_text() -> None:
    heads = re.findall(r"^- \*\*(.+?)\*\*", (ROOT / "LIMITS.md").read_text("utf-8"), re.MULTILINE)
    assert len(limits()) == len(heads) > 5
    assert not [limit for limit in limits() if "\n" in limit or "*" in limit or "`" in limit]
