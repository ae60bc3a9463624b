"""A badge says how many cells pass, in the shape that shields.io asks for."""

import json

from compat.report.badge import badge
from compat.report.collected import Run


def test_it_has_the_shape_of_an_endpoint_and_counts_what_applies(run: Run) -> None:
    assert json.loads(badge(run)) == {
        "schemaVersion": 1,
        "label": "BullMQ 5.62.0",
        "message": "2 of 8 cells, 1 known",
        "color": "lightgrey",
    }


def test_an_interrupted_run_is_not_green(run: Run) -> None:
    shape = json.loads(badge(Run(run.header, run.verdicts)))
    assert shape["color"] == "lightgrey" and "interrupted" in shape["message"]
