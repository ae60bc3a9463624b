"""Every public name of the library says what it means, and every number that is a time says its unit."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bullmq_ref
from bullmq_ref import dropin

PACKAGE = Path(bullmq_ref.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

#: Said by their names and types alone: a sentence would repeat them.
PLAIN = re.compile(
    r"(?:get|is|has)_?[A-Za-z_]+|count|remove_global_\w+|removeGlobal\w+|[a-z_]+_count"  # questions and their undoing
    r"|resume|close|run|name|data|progress|priority|paused|prefix|queue_name|closing|connected|node"
    r"|__\w+__"
)
TIMES = re.compile(r"delay|ttl|duration|interval|timeout|timestamp|backoff|grace|every|offset|age$|close$|renew_time")
UNITS = re.compile(r"\bms\b|\bs\b|seconds|milliseconds")


def public() -> Iterator[tuple[str, object]]:
    for source in (bullmq_ref, dropin):
        for name in source.__all__:
            yield f"{source.__name__}.{name}", getattr(source, name)


def test_every_module_says_what_it_is() -> None:
    bare = [file.name for file in MODULES if not ast.get_docstring(ast.parse(file.read_text("utf-8")))]
    assert bare == []


@pytest.mark.parametrize(("name", "thing"), list(public()))
def test_a_public_name_has_a_docstring_of_its_own(name: str, thing: object) -> None:
    """(T177)"""
    if not (inspect.isclass(thing) or inspect.isfunction(thing)):
        return
    text = inspect.cleandoc(vars(thing).get("__doc__") or "") if inspect.isclass(thing) else inspect.getdoc(thing)
    assert text, f"{name} has no docstring"
    assert not text.startswith(f"{name.rpartition('.')[2]}("), f"{name}: a dataclass's own signature is no meaning"


@pytest.mark.parametrize(("name", "thing"), [(n, t) for n, t in public() if inspect.isclass(t)])
def test_every_public_method_says_what_its_name_does_not(name: str, thing: type) -> None:
    """(T177)"""
    bare = [
        member
        for member, value in vars(thing).items()
        if not member.startswith("_")
        and not PLAIN.fullmatch(member)
        and callable(function := getattr(value, "__func__", getattr(value, "fget", value)))
        and not inspect.isclass(function)
        and not inspect.getdoc(function)
    ]
    assert bare == [], f"{name} does not say what these do"


@pytest.mark.parametrize(("name", "thing"), [(n, t) for n, t in public() if dataclasses.is_dataclass(t)])
def test_a_dataclass_with_times_names_their_unit(name: str, thing: type) -> None:
    """(T177)"""
    times = [field.name for field in dataclasses.fields(thing) if TIMES.search(field.name)]
    numbers = [time for time in times if re.search(r"\bint\b|\bfloat\b", str(thing.__annotations__[time]))]
    assert not numbers or UNITS.search(thing.__doc__ or ""), f"{name}: in what unit are {', '.join(numbers)}?"


@pytest.mark.parametrize(("name", "thing"), [(n, t) for n, t in public() if inspect.isclass(t)])
def test_a_method_that_takes_a_time_names_its_unit(name: str, thing: type) -> None:
    """(T177)"""
    unsaid = []
    for member, value in vars(thing).items():
        function = getattr(value, "__func__", value)
        if member.startswith("_") or not inspect.isfunction(function):
            continue
        times = [parameter for parameter in inspect.signature(function).parameters if TIMES.search(parameter)]
        said = f"{inspect.getdoc(function) or ''} {thing.__doc__ or ''}"
        if times and not UNITS.search(said) and not any(time.endswith("_ms") for time in times):
            unsaid.append(f"{member}({', '.join(times)})")
    assert unsaid == [], f"{name} does not say the unit"
