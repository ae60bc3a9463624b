"""The Lua scripts are BullMQ's own, to the byte (T007, T008)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from bullmq_ref import lua

PACKAGE = lua.DEFAULT_PACKAGE

pytestmark = pytest.mark.skipif(not PACKAGE.exists(), reason="the npm package bullmq is not installed")


def flatten(file: Path, seen: set[Path]) -> str:
    """`file` with each `--- @include` replaced by that file, depth first, once each."""

    def include(found: re.Match[str]) -> str:
        target = (file.parent / f"{found[1].removesuffix('.lua')}.lua").resolve()
        if target in seen:
            return ""
        seen.add(target)
        return flatten(target, seen)

    return re.sub(r'^[-]{2,3}[ \t]*@include[ \t]+["\'](.+?)["\'][ \t;]*$', include, file.read_text(), flags=re.M)


def test_two_ways_to_read_the_scripts_agree() -> None:
    """(T007)"""
    commands = PACKAGE / "dist" / "cjs" / "commands"
    extracted = lua.extract(PACKAGE)
    assert len(extracted) == 49
    for name, text in extracted.items():
        flat = flatten(commands / f"{name}.lua", set())
        assert re.sub(r"^\s*[\r\n]", "", flat, flags=re.M) == text, name


def test_every_script_is_in_the_manifest() -> None:
    """(T008)"""
    assert lua.manifest().keys() == lua.extract(PACKAGE).keys()


def test_a_changed_script_is_refused_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """(T009)"""
    scripts = tmp_path / "dist" / "cjs" / "scripts"
    shutil.copytree(PACKAGE / "dist" / "cjs" / "scripts", scripts)
    file = scripts / "addLog-2.js"
    file.write_text(file.read_text().replace("RPUSH", "LPUSH"))
    monkeypatch.setattr(lua, "INSTALLED", tmp_path / "_lua")
    with pytest.raises(lua.LuaError, match=r"addLog-2 .* differs from bullmq 5\.62\.0"):
        lua.install(tmp_path)
    assert not (tmp_path / "_lua").exists()


def test_installed_scripts_load_by_name_with_their_number_of_keys() -> None:
    lua.install(PACKAGE)
    script = lua.load("addStandardJob")
    assert (script.name, script.keys) == ("addStandardJob", 9)
    assert len(script.sha) == 40
    assert lua.load("addStandardJob-9") == script


def test_an_unknown_script_is_named() -> None:
    with pytest.raises(lua.LuaError, match="no script named 'nope'"):
        lua.load("nope")


def test_a_folder_without_scripts_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lua.main([str(tmp_path)]) == 1
    assert "npm ci" in capsys.readouterr().err
