"""A results folder -> its leaderboard.csv and leaderboard.md, a pure view of the records."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from wsol.board.rows.rows import Row, group
from wsol.board.runs.fingerprint import fingerprint
from wsol.board.runs.memory import Memory
from wsol.board.runs.reading import Reading, read_folder
from wsol.board.tables.markdown import to_markdown
from wsol.board.tables.sections import Section, sections
from wsol.board.tables.table import to_csv
from wsol.errors import UserError
from wsol.files.reading import sha256_of
from wsol.files.writing.atomic import write_bytes

RUNS = "runs"
FILES = ("leaderboard.csv", "leaderboard.md")


@dataclass(frozen=True)
class Board:
    """All rows by key, and the same rows ranked in the tables they belong to.

    ``left_out`` names, a line each, the files that were changed or damaged and the rows that no column
    can tell apart: the board is of the others.
    """

    rows: list[Row]
    sections: list[Section]
    left_out: list[str] = field(default_factory=list)


def read_board(results: Path | str) -> Board:
    """The board of ``results/runs/**/*.json``; what is left out is named on stderr.

    Raises:
        UserError: no sound record there.
    """
    board, reading = look(results)
    reading.tell()
    return board


def look(results: Path | str) -> tuple[Board, Reading]:
    """`read_board`, which says nothing: the board, and what was read and left aside."""
    memory = Memory.of(results)
    reading = read_folder(Path(results) / RUNS, memory)
    return _board(reading, memory), reading


def write_board(results: Path | str) -> tuple[Path, Path]:
    """Write ``leaderboard.csv`` and ``.md`` into ``results``; the same records give the same bytes.

    What is left out is named on stderr, as by `read_board`.
    """
    csv, markdown, reading = update_board(results)
    reading.tell()
    return csv, markdown


def update_board(results: Path | str) -> tuple[Path, Path, Reading]:
    """`write_board`, which says nothing: the files, and what was read and left aside.

    Where nothing has changed since the latest board the files stand as they are.
    """
    results = Path(results)
    memory = Memory.of(results)
    paths = [results / name for name in FILES]
    seen = fingerprint(results / RUNS)
    if seen and _stands(paths, seen, memory.last_board()):
        return paths[0], paths[1], Reading()
    reading = read_folder(results / RUNS, memory)
    board = _board(reading, memory)
    contents = to_csv(board.rows).encode("utf-8"), to_markdown(board.sections).encode("utf-8")
    for path, content in zip(paths, contents, strict=True):
        write_bytes(path, content)
        memory.board[path.name] = hashlib.sha256(content).hexdigest()
    # What has to be named is named each time.
    memory.board["fingerprint"] = "" if reading.left_aside or reading.notes else seen
    memory.save()
    return paths[0], paths[1], reading


def _board(reading: Reading, memory: Memory) -> Board:
    """The board of what was read; what `group` leaves out joins what reading did."""
    rows, left_out = group(reading.runs)
    reading.left_aside += left_out
    return Board(rows, sections(rows, memory), reading.left_aside)


def _stands(paths: list[Path], seen: str, last: dict[str, str]) -> bool:
    """Whether the files are those that were made of the same records by the same code."""
    if last.get("fingerprint") != seen:
        return False
    try:
        return all(last.get(path.name) == sha256_of(path) for path in paths)
    except UserError:
        return False
