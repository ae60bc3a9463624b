"""Files become scenarios: each one read, converted to the model, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from compat.model.scenario import Scenario
from compat.scenarios.complaint import Complaint, ScenarioError
from compat.scenarios.complaint import Path as Place
from compat.scenarios.lint import lint
from compat.scenarios.select import select
from compat.scenarios.yaml import Source, parse

_PART = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_ANY = "..."  # how msgspec names a key of a free map


def load(paths: Iterable[Path]) -> tuple[Scenario, ...]:
    """The scenarios in `paths` (files, or folders with all below them), by id.

    A scenario's id is its path without `.yaml` below the folder named. Raises ScenarioError with every complaint about
    every file; a path that is not there is one.
    """
    complaints: list[Complaint] = []
    scenarios: dict[str, Scenario] = {}
    for file, folder in _files(paths, complaints).items():
        try:
            scenario = load_text(_text(file), str(file))
        except ScenarioError as error:
            complaints += error.complaints
            continue
        complaints += _misplaced(scenario, file, folder)
        scenarios.setdefault(scenario.id, scenario)
    if complaints:
        raise ScenarioError(*complaints)
    return tuple(scenarios[name] for name in sorted(scenarios))


def pick(folder: Path, patterns: Sequence[str] = (), tags: Sequence[str] = ()) -> tuple[Scenario, ...]:
    """The scenarios below `folder` that are asked for, as `select` chooses; files that no pattern means are not read.

    Raises ScenarioError, and NoSuchScenario for a pattern or a tag that nothing matches.
    """
    return select(load(_meant(folder, patterns)), patterns, tags)


def _meant(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files of the ids that match; the whole folder, where no pattern is given or one matches nothing."""
    ids = {file.relative_to(folder).with_suffix("").as_posix(): file for file in folder.rglob("*.yaml")}
    found = [[file for name, file in ids.items() if fnmatchcase(name, pattern)] for pattern in patterns]
    return list(dict.fromkeys(chain(*found))) if found and all(found) else [folder]


def load_text(text: str, file: str = "scenario.yaml") -> Scenario:
    """One scenario from its text; `file` is only named in complaints. Raises ScenarioError."""
    source = parse(text, file)
    scenario = _convert(source)
    complaints = [source.complaint(found.path, found.message) for found in lint(scenario)]
    if complaints:
        raise ScenarioError(*complaints)
    return scenario


def _files(paths: Iterable[Path], complaints: list[Complaint]) -> dict[Path, Path | None]:
    """Each file once, with the folder it was found below (None: named itself)."""
    found: dict[Path, Path | None] = {}
    for path in paths:
        if path.is_dir():
            below = sorted(path.rglob("*.yaml"))
            if not below:
                complaints.append(Complaint((), "there is no .yaml file in this folder", str(path), 1))
            for file in below:
                found.setdefault(file, path)
        elif path.is_file():
            found.setdefault(path, None)
        else:
            complaints.append(Complaint((), "there is no such file or folder", str(path), 1))
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ScenarioError(Complaint((), f"byte {error.start} is not UTF-8; save it as UTF-8", str(file), 1)) from None
    except OSError as error:
        raise ScenarioError(Complaint((), f"it cannot be read: {error.strerror}", str(file), 1)) from None


def _misplaced(scenario: Scenario, file: Path, folder: Path | None) -> list[Complaint]:
    place = file.relative_to(folder) if folder is not None else file.absolute()
    wanted = place.with_suffix("").as_posix()
    if scenario.id == wanted or (folder is None and wanted.endswith(f"/{scenario.id}")):
        return []
    wanted = wanted if folder is not None else "/".join(place.with_suffix("").parts[-2:])
    message = f"the id is `{scenario.id}`, the file's place says `{wanted}`; rename one of them"
    return [Complaint(("id",), message, str(file), 1)]


def _convert(source: Source) -> Scenario:
    try:
        return msgspec.convert(source.value, Scenario)
    except msgspec.ValidationError as error:
        message, _, at = str(error).partition(" - at `$")
        raise ScenarioError(
            source.complaint(_place(source.value, at.rstrip("`"), str(error)), _words(message))
        ) from None


def _place(value: Any, at: str, error: str) -> Place:
    """msgspec's path, with the key of a free map (which it calls `...`) found by trying each one alone."""
    place: list[str | int] = []
    for name, index in _PART.findall(at):
        if index != _ANY:
            place.append(int(index) if index else name)
            continue
        free = _at(value, place)
        key = next((key for key in free if _error(_only(value, place, key)) == error), None)
        if key is None:
            break
        place.append(key)
    return tuple(place)


def _at(value: Any, place: list[str | int]) -> Any:
    for part in place:
        value = value[part]
    return value


def _only(value: Any, place: list[str | int], key: str) -> Any:
    """`value` with the map at `place` cut down to one key."""
    if not place:
        return {key: value[key]}
    head, rest = place[0], place[1:]
    if isinstance(value, list):
        return [_only(item, rest, key) if index == head else item for index, item in enumerate(value)]
    return {name: _only(item, rest, key) if name == head else item for name, item in value.items()}


def _error(value: Any) -> str:
    try:
        msgspec.convert(value, Scenario)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _words(message: str) -> str:
    if found := re.fullmatch(r"Object contains unknown field `(.+)`", message):
        return f"there is no field `{found[1]}` here; docs/scenarios.md lists the fields"
    if found := re.fullmatch(r"Object missing required field `(.+)`", message):
        return f"the field `{found[1]}` is missing; add it"
    if found := re.fullmatch(r"Expected `(.+)`, got `(.+)`", message):
        return f"this is {found[2]}, expected {found[1]}"
    return message
