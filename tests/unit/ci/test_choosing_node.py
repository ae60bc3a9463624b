"""Which Node the project runs on."""

from dataclasses import replace
from pathlib import Path

import pytest

from ci import node as nodes
from ci.node import Node

PATH_NODE = Node("/usr/bin/node", "v20.20.2", ("/usr/bin/npm",), "path")


@pytest.mark.parametrize(
    ("version", "major"), [("v20.20.2", 20), ("18.0.0", 18), ("v9.11.2", 9), ("", 0), ("nightly", 0), ("v20", 0)]
)
def test_the_major_version_is_read_from_what_node_prints(version: str, major: int) -> None:
    assert nodes.major(version) == major


@pytest.mark.parametrize(
    ("wanted", "on_path", "source"),
    [
        ("", PATH_NODE, "path"),
        ("", None, "pypi"),
        ("", replace(PATH_NODE, version="v16.20.2"), "pypi"),
        ("", replace(PATH_NODE, npm=()), "pypi"),
        ("22.20.0", PATH_NODE, "nodeenv"),
        ("22.20.0", None, "nodeenv"),
    ],
)
def test_path_comes_first_then_pypi_and_a_wanted_version_overrules_both(
    wanted: str, on_path: Node | None, source: nodes.Source
) -> None:
    assert nodes.source(wanted, on_path) == source


@pytest.fixture
def remembered(tmp_path: Path) -> Path:
    binary = tmp_path / "node"
    binary.write_bytes(b"one")
    nodes.remember(tmp_path / "node.json", replace(PATH_NODE, binary=str(binary)))
    return tmp_path / "node.json"


def test_the_node_of_last_time_is_used_again(remembered: Path) -> None:
    node = nodes.remembered(remembered, "")
    assert node is not None
    assert node.version == "v20.20.2"
    assert node.npm == ("/usr/bin/npm",)


def test_a_node_that_was_replaced_or_removed_is_looked_for_again(remembered: Path) -> None:
    binary = remembered.with_name("node")
    binary.write_bytes(b"another")
    assert nodes.remembered(remembered, "") is None
    binary.unlink()
    assert nodes.remembered(remembered, "") is None


def test_another_wanted_version_is_looked_for_again(remembered: Path) -> None:
    assert nodes.remembered(remembered, "22.20.0") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mark": "x"}', '{"mark": "x", "npm": []}'])
def test_a_damaged_note_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "node.json").write_text(text)
    assert nodes.remembered(tmp_path / "node.json", "") is None
