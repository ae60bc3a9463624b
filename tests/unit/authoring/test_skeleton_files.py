"""Skeletons are written whole, and never over somebody's work."""

from pathlib import Path

import pytest

from compat.authoring.skeleton import SKELETONS, write


@pytest.mark.parametrize("language", SKELETONS)
def test_a_skeleton_says_where_the_port_comes_in(language: str, tmp_path: Path) -> None:
    write(language, tmp_path / "driver")
    text = "".join(file.read_text() for file in (tmp_path / "driver").rglob("*") if file.is_file())
    assert "processor.call" in text and "port" in text and "bullmq-compat/1" in text


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty"):
        write("python", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["notes"]
