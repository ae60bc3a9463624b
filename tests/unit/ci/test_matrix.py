"""The server matrix: which servers, and how a run's record becomes a row."""

from __future__ import annotations

import json
from collections import Counter

from ci.house import ROOT
from ci.matrix import OFFERS, Row, read


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
