"""What killed processes left is removed by the next one; what living ones write never is."""

import os
import re

import pytest

from wsol.files.locking import system_lock
from wsol.files.writing import leftovers
from wsol.files.writing.atomic import replacing, write_text
from wsol.files.writing.leftovers import prefix_for

# Begins to write a.txt, says so, and waits for its end.
WRITER = """
import sys
from wsol.files.writing.atomic import replacing
with replacing(sys.argv[1] + "/a.txt") as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path, started):
    return started(WRITER, tmp_path, "writing")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_dead_process_s_file_goes_and_a_living_one_s_stays(tmp_path, writer):
    (half,) = names(tmp_path)
    assert re.fullmatch(r"\.a-wsol[0-9a-f]{8}-.{8}\.txt", half)
    write_text(tmp_path / "b.txt", "b")
    assert names(tmp_path) == [half, "b.txt"]
    writer.kill()
    writer.wait()
    leftovers._swept.clear()  # as the next process
    write_text(tmp_path / "b.txt", "b")
    assert names(tmp_path) == ["b.txt"]


def test_a_living_process_is_not_disturbed(tmp_path, writer):
    write_text(tmp_path / "b.txt", "b")
    writer.stdin.close()
    assert writer.wait() == 0
    assert (tmp_path / "a.txt").read_text() == "half"


def test_a_folder_is_a_leftover_too_and_strangers_are_not(tmp_path):
    left = tmp_path / f"{prefix_for('m')}abcdefgh"
    (left / "new").mkdir(parents=True)
    for name in (".gitignore", ".a-wsol.txt", ".a-x1b2c3d4.txt", f"{prefix_for('m')[1:]}abcdefgh"):
        (tmp_path / name).touch()
    before = names(tmp_path)
    write_text(tmp_path / "b.txt", "b")
    assert names(tmp_path) == sorted([*(set(before) - {left.name}), "b.txt"])


@pytest.mark.parametrize(("hours", "stays"), [(23, True), (25, False)])
@pytest.mark.parametrize("why", ["another machine", "no locks here"])
def test_where_no_lock_tells_a_leftover_has_to_be_a_day_old(tmp_path, monkeypatch, why, hours, stays):
    left = tmp_path / f"{prefix_for('a')}abcdefgh.txt"
    if why == "another machine":
        left = tmp_path / f".a-wsol{system_lock.machine_tag('beta')}-abcdefgh.txt"
    else:
        monkeypatch.setattr(leftovers, "try_lock", lambda handle: None)
    left.touch()
    past = left.stat().st_mtime - hours * 3600
    os.utime(left, (past, past))
    write_text(tmp_path / "b.txt", "b")
    assert left.exists() == stays


def test_a_temporary_file_taken_for_a_leftover_is_made_anew(tmp_path, monkeypatch):
    """Another process looks between the making of the file and its locking."""
    from wsol.files.writing import atomic

    real, taken = atomic.try_lock, []

    def late(handle):
        if not taken:
            (place,) = leftovers.leftovers(tmp_path)
            leftovers.remove(place)
            taken.append(place)
        return real(handle)

    monkeypatch.setattr(atomic, "try_lock", late)
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
    assert taken
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert names(tmp_path) == ["a.txt"]
