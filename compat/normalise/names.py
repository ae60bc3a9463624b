"""Names that differ from cell to cell by design: the key prefix, UUIDs, and slots that count from the clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from compat.model.history import History
from compat.model.scenario import Scenario
from compat.normalise.answers import views
from compat.normalise.slots import Slots

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_DRAWN = 16  # characters that an id has at least when chance made it


class Names:
    """Renames the prefix to `<prefix>`, each UUID to `<uuid n>`, n in order of first appearance, and slots as `Slots`.

    Stays checked: that they stand in the right places, that equal ones are equal. Sound, because a cell's prefix is
    its own and nothing else looks like it, and because UUIDs are drawn by chance: one that the scenario itself spells
    out is no such thing and stays literal. Counted ids (`1`, `2`) stay literal, too: they are equal when the wire is.
    Long ids that a port gave the nodes of a flow are named likewise, whatever their form: `job.id.form` tells of it.
    """

    def __init__(self, scenario: Scenario, history: History) -> None:
        spelled_out = msgspec.json.encode(scenario).decode()
        self._prefix = history.prefix
        self.slots = Slots(history)
        self._uuids: dict[str, str] = {}
        own = (id_ for id_ in _of_flows(history) if len(id_) >= _DRAWN and not _UUID.fullmatch(id_))
        self._drawn = re.compile("|".join([_UUID.pattern, *map(re.escape, dict.fromkeys(own))]))
        for text in _texts(history):
            for uuid in self._drawn.findall(text):
                if uuid not in self._uuids and uuid not in spelled_out:
                    self._uuids[uuid] = f"<uuid {len(self._uuids) + 1}>"

    def __call__(self, text: str) -> str:
        text = self.slots.renamed(text.replace(self._prefix, "<prefix>"))
        if self._uuids and len(text) >= _DRAWN:
            return self._drawn.sub(lambda match: self._uuids.get(match[0], match[0]), text)
        return text


def form(job: str) -> str:
    """What an id that chance drew looks like."""
    return "<uuid>" if _UUID.fullmatch(job) else "another text"


def _of_flows(history: History) -> Iterator[str]:
    """The ids of jobs that flows were answered with."""
    for outcome in history.outcomes:
        if outcome.method in ("flow.add", "flow.addBulk"):
            yield from (str(view["id"]) for view in views(outcome))


def _texts(history: History) -> Iterator[str]:
    """Where ids come from, in the order of their making: answers, then streams, then the names of keys."""
    for outcome in history.outcomes:
        yield from strings(outcome.result)
    for capture in history.captures:
        entries = [entry for _, key in sorted(capture.keys.items()) for entry in key.entries]
        for entry in sorted(entries, key=lambda entry: stream_ms(entry.id)):
            yield from (value for _, value in entry.fields)
        yield from sorted(capture.keys)


def strings(value: Any) -> Iterator[str]:
    """All texts within `value`, keys included, in an order that does not hang on that of an answer's fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in sorted(value.items(), key=lambda field: _rank(str(field[0]))):
            yield str(key)
            yield from strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from strings(item)


def _rank(field: str) -> tuple[bool, bool, str]:
    """A job's id comes first, a flow's children last."""
    return field != "id", field == "children", field


def stream_ms(entry_id: str) -> tuple[int, int]:
    """A stream id as (ms of Redis's clock, sequence)."""
    ms, _, sequence = entry_id.partition("-")
    return int(ms), int(sequence or 0)
