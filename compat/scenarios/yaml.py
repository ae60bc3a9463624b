"""YAML text becomes plain data that knows its lines. The one module that imports PyYAML."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from compat.scenarios.complaint import Complaint, Path, ScenarioError

_TAG = "tag:yaml.org,2002:"
_MOST = 10_000_000  # repetitions: more is a slip of the keyboard
#: What a plain scalar is, by YAML 1.2: kind, look, first characters. A date is text there, but seldom meant so.
_PLAIN = (
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("bool", r"true|True|TRUE|false|False|FALSE", tuple("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", tuple("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", tuple("-+0123456789.")),
    ("timestamp", r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?", tuple("0123456789")),
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C, where PyYAML was built with it
    """PyYAML's, which reads YAML 1.1, with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # as PyYAML has it


for _kind, _look, _first in _PLAIN:
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(rf"(?:{_look})\Z"), _first)


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": lambda text: int(text, 0) if text[:2] in ("0o", "0x") else int(text),
    "float": float,
    "bool": lambda text: text.lower() == "true",
    "null": lambda text: None,
}


@dataclass(frozen=True)
class Source:
    """One file, read: its data, and the line on which each place of it stands."""

    file: str
    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of `path`, or of the nearest place around it that was written."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def complaint(self, path: Path, message: str) -> Complaint:
        return Complaint(path, message, self.file, self.line(path))


def parse(text: str, file: str) -> Source:
    """Read one YAML 1.2 document (`on`, `yes` and `no` are text).

    Raises ScenarioError for text that is not YAML, a key written twice, a key that is not text, and a tag or a date.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        problem = str(error.problem or error.context)
        if "Unicode character escape" in problem:
            problem += '; half a surrogate pair is written {"$utf16": "d83d …"} (code units in hex)'
        raise ScenarioError(Complaint((), f"this is not YAML: {problem}", file, line)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ScenarioError(Complaint((), f"this is not YAML: {' '.join(str(error).split())}", file, 1)) from None
    finally:
        loader.dispose()
    if root is None:
        raise ScenarioError(Complaint((), "the file is empty; a scenario starts with `schema: 1`", file, 1))
    reader = _Reader(file)
    try:
        return Source(file, reader.read(root, ()), reader.lines)
    except RecursionError:
        raise ScenarioError(
            Complaint((), "it is nested too deep to be read; a few levels are enough", file, 1)
        ) from None


class _Reader:
    """Turns nodes into data, noting lines on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}

    def read(self, node: Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key, content in node.value:
            line = key.start_mark.line + 1
            name = self._scalar(key, path) if isinstance(key, ScalarNode) else None
            if not isinstance(name, str):
                self._refuse(path, f"the key `{key.value}` is no text; write it in quotes", line)
            elif name in value:
                first = self.lines[(*path, name)]
                self._refuse(path, f"the key `{name}` stands here twice, first in line {first}; keep one", line)
            self.lines[(*path, name)] = line
            value[name] = self.read(content, (*path, name))
        return self._repeated(value, path) if "$times" in value else value

    def _repeated(self, value: dict[str, Any], path: Path) -> Any:
        """`{$text: x, $times: n}` is the text n times over, `{$item: v, $times: n}` a list of n."""
        times, kinds = value["$times"], value.keys() - {"$times"}
        possible = type(times) is int and 0 < times <= _MOST
        if possible and kinds == {"$item"}:
            return [value["$item"]] * times
        if possible and kinds == {"$text"} and isinstance(value["$text"], str):
            return value["$text"] * times
        message = f"`$times` is a whole number from 1 to {_MOST:,}, beside `$text` (a text) or `$item` and nothing else"
        return self._refuse(path, message, self.lines[(*path, "$times")])

    def _scalar(self, node: Node, path: Path) -> Any:
        kind, text = str(node.tag).removeprefix(_TAG), str(node.value)
        try:
            return _SCALARS[kind](text)
        except (KeyError, ValueError):
            return self._refuse(path, f"`{text}` is read as a {kind}; write text in quotes", node.start_mark.line + 1)

    def _refuse(self, path: Path, message: str, line: int) -> NoReturn:
        raise ScenarioError(Complaint(path, message, self.file, line))
