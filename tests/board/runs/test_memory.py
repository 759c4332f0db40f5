"""What a board remembers makes the next one quick and never another: content is what counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wsol.board import write_board
from wsol.board.runs.memory import PLACE


def board(results: Path) -> list[bytes]:
    return [path.read_bytes() for path in write_board(results)]


@pytest.fixture
def made(store, results) -> list[bytes]:
    """The board of two records, made once."""
    store("cam")
    store("rfga", attention="rfga")
    return board(results)


DAMAGED = [b"", b"{}", b"\x80\x04", b"0" * 64 + b"\n{}", b"[" * 100_000]


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_memory_is_as_none(results, made, content):
    remembered = (results / PLACE).read_bytes()
    (results / PLACE).write_bytes(content)
    assert board(results) == made
    assert (results / PLACE).read_bytes() == remembered


def test_one_bit_of_it_is_noticed(results, made):
    whole = bytearray((results / PLACE).read_bytes())
    whole[-5] ^= 1
    (results / PLACE).write_bytes(whole)
    assert board(results) == made


def test_git_passes_it_by_and_it_may_be_deleted(results, made):
    assert "*" in (results / PLACE).with_name(".gitignore").read_text().splitlines()
    for path in (results / PLACE).parent.iterdir():
        path.unlink()
    assert board(results) == made


def test_where_it_cannot_be_written_the_board_is_made_all_the_same(store, results):
    store("cam")
    (results / PLACE.parent).write_text("a file where the folder would be")
    assert b"cam" in board(results)[0]


def test_a_record_of_the_same_size_and_time_is_read_again(store, results, made, capsys):
    path = results / "runs" / "rfga.json"
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b'"value": 58', b'"value": 59'))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert board(results) != made
    assert "rfga.json: not a run record" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["leaderboard.csv", "leaderboard.md"])
@pytest.mark.parametrize("content", [None, b"edited by hand\n"])
def test_board_files_that_are_others_are_written_again(results, made, name, content):
    if content is None:
        (results / name).unlink()
    else:
        (results / name).write_bytes(content)
    assert board(results) == made


def test_a_record_more_and_one_less_are_seen(store, results, made):
    more = store("tdam", attention="tdam")
    assert b"tdam" in board(results)[0]
    more.unlink()
    assert board(results) == made


def test_two_processes_that_race_leave_the_board_of_one(results, made):
    for name in ("leaderboard.csv", "leaderboard.md", PLACE):
        (results / name).unlink()
    command = [sys.executable, "-m", "wsol.cli.main", "leaderboard", "--results", str(results)]
    racing = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    for process in racing:
        _, error = process.communicate()
        assert (process.returncode, error) == (0, b"")
    assert [(results / name).read_bytes() for name in ("leaderboard.csv", "leaderboard.md")] == made
