"""The server matrix: which servers, and how a run's record becomes a row."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from ci.house import ROOT
from ci.matrix import HEAD, OFFERS, PAGE, TAIL, Row, Unknown, chosen, read, renewed


def test_every_server_from_an_index_is_locked_by_its_hash() -> None:
    for offer in OFFERS:
        if offer.lock:
            assert "--hash=sha256:" in (ROOT / "ci" / "locks" / f"{offer.lock}.txt").read_text("utf-8")


def test_a_record_becomes_a_row_of_the_table() -> None:
    header = {"record": "header", "servers": {"single": "redis 6.2.14, embedded"}, "started": "2026-11-24T10:00:00Z"}
    footer = {"record": "footer", "verdicts": {"pass": 1854, "fail": 0, "not-applicable": 2}, "seconds": 41.6}
    row = read("\n".join(json.dumps(line) for line in (header, footer)), "single")
    assert row == Row("Redis 6.2.14", "single", Counter({"pass": 1854, "not-applicable": 2}), 41.6, "2026-11-24")
    assert row.markdown() == ("| Redis 6.2.14 | single | 1,856 | 1,854 pass, 2 not-applicable | 42 | 2026-11-24 |\n")


def test_a_run_that_was_cut_off_has_no_row() -> None:
    assert read('{"record": "header", "servers": {}, "started": ""}', "single") is None


def test_a_row_names_the_scenarios_that_did_not_pass() -> None:
    row = Row("Redis 7.0.15", "cluster", Counter({"pass": 3, "fail": 1}), 5, "2026-11-24", ("worker/pause",))
    assert row.markdown() == "| Redis 7.0.15 | cluster | 4 | 3 pass, 1 fail (worker/pause) | 5 | 2026-11-24 |\n"


def rows(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith(("| Valkey", "| Redis"))]


def test_the_page_is_what_the_command_writes_and_every_server_is_clean_on_it() -> None:
    """Two rows a server, in order; nothing but the rows is written by hand elsewhere."""
    page = (ROOT / PAGE).read_text("utf-8")
    assert renewed(page, ()) == page
    assert len(rows(page)) == 2 * len(OFFERS)
    for row in rows(page):
        assert not any(word in row for word in ("fail", "error", "flaky", "invalid")), row


def test_a_new_row_stands_where_the_old_one_stood_and_the_others_stay() -> None:
    old = [Row(f"{offer.title}.1", "single", Counter({"pass": 1}), 5, "2026-11-23") for offer in OFFERS]
    page = renewed("", old)
    new = Row(f"{OFFERS[1].title}.2", "single", Counter({"pass": 2}), 5, "2026-11-24")
    more = Row(f"{OFFERS[1].title}.2", "cluster", Counter({"pass": 2}), 5, "2026-11-24")
    lines = [row.markdown().rstrip() for row in (old[0], new, more, *old[2:])]
    assert rows(renewed(page, [more, new])) == lines
    assert page.startswith(HEAD)
    assert page.endswith(TAIL)


def test_servers_are_chosen_by_name_in_any_case_and_an_unknown_one_is_refused_with_those_there_are() -> None:
    assert chosen(()) == OFFERS
    assert [offer.title for offer in chosen(["redis 6.2", "Valkey 9.1"])] == ["Redis 6.2", "Valkey 9.1"]
    with pytest.raises(Unknown, match=r"no server is called 'redis'; there are: 'valkey 9\.1', 'redis 8\.2'"):
        chosen(["redis"])
