"""Every change of what is stored is noticed: a rule that hides one would fail here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
from msgspec import structs

from compat.compare import differences
from compat.model.capture import Key, StreamEntry
from compat.model.history import History
from compat.model.scenario import Scenario

Make = Callable[..., History]
Replace = Callable[[History, dict[str, Key | None]], History]

#: Places where chance decides a bounded value: there a change must leave the bounds to be seen.
BEYOND = 10_000_000.0


def mutations(suffix: str, key: Key) -> Iterator[tuple[str, Key | None]]:
    """Changes of one key: gone, of another type, expiring; and each of its parts changed, gone, or elsewhere."""
    yield f"{suffix} gone", None
    yield (
        f"{suffix} of another type",
        Key("hash", fields={"x": "y"}) if key.type != "hash" else Key("set", items=("x",)),
    )
    if key.ttl_ms is None:
        yield f"{suffix} expires", _with(key, ttl_ms=5)
    elif suffix != "limiter":
        yield f"{suffix} for ever", _with(key, ttl_ms=None)
        yield f"{suffix} too long", _with(key, ttl_ms=60_000)
        yield f"{suffix} too short", _with(key, ttl_ms=key.ttl_ms // 2)
    if key.type == "string":
        yield f"{suffix} other text", _with(key, text=f"{key.text}9")
        yield f"{suffix} spelled with a nought", _with(key, text=f"0{key.text}")
    for index, item in enumerate(key.items):
        rest = key.items[:index] + key.items[index + 1 :]
        yield f"{suffix}[{index}] other", _with(key, items=(*rest, f"{item}x"))
        yield f"{suffix}[{index}] besides", _with(key, items=(*key.items, "z"))
        if rest and key.type == "list":
            yield f"{suffix}[{index}] last", _with(key, items=(*rest, item)) if index < len(rest) else None
    for field, text in key.fields.items():
        others = {name: value for name, value in key.fields.items() if name != field}
        yield f"{suffix}.{field} gone", _with(key, fields=others)
        yield f"{suffix}.{field} other", _with(key, fields={**others, field: f"{text}x"})
        yield f"{suffix}.{field} spelled with a nought", _with(key, fields={**others, field: f"0{text}"})
        yield f"{suffix}.{field} quoted", _with(key, fields={**others, field: f'"{text}"'})
        yield f"{suffix}.{field} renamed", _with(key, fields={**others, f"{field}2": text})
    for name in ("lock", "logs", "dependencies", "processed", "id.form") if key.type == "hash" else ():
        yield f"{suffix}.{name} besides", _with(key, fields={**key.fields, name: ""})
    for index, (member, score) in enumerate(key.scores):
        if suffix != "delayed":  # a later tie-break there is chance
            yield (
                f"{suffix}[{member}] a fraction later",
                _with(key, scores=(*key.scores[:index], (member, score + 0.25), *key.scores[index + 1 :])),
            )
        yield (
            f"{suffix}[{member}] never",
            _with(key, scores=(*key.scores[:index], *key.scores[index + 1 :], (member, math.inf))),
        )
        rest = key.scores[:index] + key.scores[index + 1 :]
        yield f"{suffix}[{member}] gone", _with(key, scores=rest)
        yield (
            f"{suffix}[{member}] other id",
            _with(key, scores=tuple(sorted((*rest, (f"{member}x", score)), key=_score))),
        )
        moved = tuple(sorted((*rest, (member, score * 2 + BEYOND)), key=_score))
        yield f"{suffix}[{member}] other score", _with(key, scores=moved)
    for index, entry in enumerate(key.entries):
        before, after = key.entries[:index], key.entries[index + 1 :]
        yield f"event {index} gone", _with(key, entries=(*before, *after))
        yield f"event {index} twice", _with(key, entries=(*before, entry, entry, *after))
        for at, (name, text) in enumerate(entry.fields):
            others = entry.fields[:at], entry.fields[at + 1 :]
            yield f"event {index}.{name} gone", _with(key, entries=(*before, _entry(entry, *others), *after))
            other = _entry(entry, others[0], ((name, f"{text}9"),), others[1])
            yield f"event {index}.{name} other", _with(key, entries=(*before, other, *after))
        turned = _entry(entry, tuple(reversed(entry.fields)))
        yield f"event {index} turned round", _with(key, entries=(*before, turned, *after))
        if after:
            swapped = (
                *before,
                StreamEntry(entry.id, after[0].fields),
                StreamEntry(after[0].id, entry.fields),
                *after[1:],
            )
            yield f"event {index} swapped", _with(key, entries=swapped)


def _with(key: Key, **changes: object) -> Key:
    fields = {name: getattr(key, name) for name in key.__struct_fields__}
    return Key(**{**fields, **changes})


def _entry(entry: StreamEntry, *parts: tuple[tuple[str, str], ...]) -> StreamEntry:
    return StreamEntry(entry.id, tuple(pair for part in parts for pair in part))


def _score(pair: tuple[str, float]) -> float:
    return pair[1]


def test_every_change_of_a_key_is_noticed(busy: Scenario, history: Make, with_keys: Replace) -> None:
    """T163: the mutation test of the normaliser."""
    oracle, port = history(), history("self", "{other}", 1_795_600_000_000)
    hidden, made = [], 0
    for name, key in port.captures[0].keys.items():
        suffix = name.removeprefix("{other}:mail:")
        for title, changed in mutations(suffix, key):
            if changed == key:
                continue
            made += 1
            if not differences(busy, oracle, with_keys(port, {suffix: changed})):
                hidden.append(title)
    assert made > 400
    assert not hidden, hidden


@pytest.mark.parametrize("kind", ["set", "zset", "string"])
def test_the_points_of_a_metric_are_a_list(busy: Scenario, history: Make, with_keys: Replace, kind: str) -> None:
    suffix, points = "metrics:completed:data", Key("list", items=("1",))
    others = {
        "set": Key("set", items=("1",)),
        "zset": Key("zset", scores=(("1", 0.0),)),
        "string": Key("string", text="1"),
    }
    one = with_keys(history(), {suffix: points})
    assert not differences(busy, one, with_keys(history("self"), {suffix: points}))
    assert differences(busy, one, with_keys(history("self"), {suffix: others[kind]}))


def test_stalled_is_a_set_also_while_workers_work(busy: Scenario, history: Make, with_keys: Replace) -> None:
    def at_work(one: History, kind: Key) -> History:
        changed = with_keys(one, {"stalled": kind})
        captures = tuple(structs.replace(capture, workers_open=1) for capture in changed.captures)
        return structs.replace(changed, captures=captures)

    oracle = at_work(history(), Key("set", items=("6",)))
    assert not differences(busy, oracle, at_work(history("self"), Key("set", items=("6", "2"))))
    assert differences(busy, oracle, at_work(history("self"), Key("list", items=("6",))))
    assert differences(busy, oracle, at_work(history("self"), Key("zset", scores=(("6", 0.0),))))


@pytest.mark.parametrize("kept", [0, 3])
def test_events_that_go_between_two_captures_are_missed(busy: Scenario, history: Make, kept: int) -> None:
    def twice(one: History, key: Key | None = None) -> History:
        mid = structs.replace(one.captures[0], label="mid")
        end = one.captures[0]
        if key is not None:
            end = structs.replace(end, keys={**end.keys, f"{one.prefix}:mail:events": key})
        return structs.replace(one, captures=(mid, end))

    oracle, port = twice(history()), history("self")
    entries = port.captures[0].keys[f"{port.prefix}:mail:events"].entries
    assert not differences(busy, oracle, twice(port))
    (one,) = differences(busy, oracle, twice(port, Key("stream", entries=entries[len(entries) - kept :])))
    assert (one.check, one.level, one.port) == ("made/up#end/events.kept", "event", kept)


def test_a_stray_key_is_noticed(busy: Scenario, history: Make, with_keys: Replace) -> None:
    (one,) = differences(busy, history(), with_keys(history("self"), {"a:b:c:d": Key("string", text="1")}))
    assert one.check == "made/up#end/foreign"


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ('{"v":1}', '{"v":true}'),
        ('{"v":[1]}', '{"v":[true]}'),
        ('{"v":1}', '{"v":"1"}'),
        ('{"v":null}', "{}"),
        ('{"v":0}', '{"v":-0.0}'),
        ('{"v":[0]}', '{"v":[false]}'),
        ('{"v":"é"}', '{"v":"e\\u0301"}'),
    ],
)
def test_values_that_python_takes_for_equal_are_told_apart(
    busy: Scenario, history: Make, with_keys: Replace, here: str, there: str
) -> None:
    """T145."""

    def data(one: History, text: str) -> History:
        fields = one.captures[0].keys["{made-1}:mail:2"].fields
        return with_keys(one, {"2": Key("hash", fields={**fields, "data": text})})

    (one,) = differences(busy, data(history(), here), data(history("self"), there))
    assert (one.check, one.level) == ("made/up#end/job.data", "breaks-peer")
