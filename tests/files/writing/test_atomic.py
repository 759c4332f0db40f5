"""A file is written whole or not at all."""

import os
import stat

import pytest

from wsol.files.writing.atomic import replacing, write_text


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_line_ends_and_permissions(tmp_path):
    path = write_text(tmp_path / "new" / "a.txt", "eins\nzwei ü\n")
    assert path.read_bytes() == "eins\nzwei ü\n".encode()
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_what_is_no_longer_allowed_is_not_written(tmp_path):
    path = write_text(tmp_path / "a.txt", "old")

    def refuse():
        raise PermissionError

    with pytest.raises(PermissionError):
        write_text(path, "new", refuse)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_long_name_is_written(tmp_path):
    """255 bytes are what most file systems take."""
    name = "é" * 125 + ".json"
    assert write_text(tmp_path / name, "x").name == name
