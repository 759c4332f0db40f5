"""Opening what a user names: only files, since opening a pipe waits for a writer, maybe for ever."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from wsol.errors import UserError

# Not every system has it; where there are pipes in folders, it is there.
WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
BLOCK = 2**20

KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NoFile(UserError):
    """What stands there is no file."""


def refuse_no_file(path: str | os.PathLike[str]) -> None:
    """`NoFile` where ``path`` is a folder, a pipe, a socket or a device.

    Nothing is said of what is missing or cannot be reached: opening it says so.
    """
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return
    _refuse(path, mode)


def read_json(path: Path, mend: str = "") -> Any:
    """The content of a JSON file; ``mend`` ends the message of its ``UserError``: "; make it anew".

    ``FileNotFoundError`` and ``NotADirectoryError`` are the caller's to word.
    """
    refuse_no_file(path)
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        raise
    except RecursionError:
        raise UserError(f"{path}: not JSON (nested too deeply){mend}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not JSON ({error}){mend}") from error


class Stamp(NamedTuple):
    """What changes with a file's content, as far as the file system tells: bytes and nanoseconds."""

    size: int
    modified: int
    changed: int
    number: int

    @classmethod
    def of(cls, path: Path | str) -> Stamp | None:
        """The stamp of the regular file there; None where there is none."""
        try:
            status = Path(path).stat()
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def files_under(folder: Path | str, onerror: Callable[[OSError], None]) -> Iterator[str]:
    """Files under ``folder`` by name, then those of its folders, and so on; hidden files are left out.

    Folders that are called like files, ``x.json``, are among them. Links to folders are not followed.
    """
    for place, folders, names in os.walk(folder, onerror=onerror):
        folders.sort()
        for name in sorted([*names, *(name for name in folders if "." in name)]):
            # A leading dot: another process is writing it just now (wsol.files.writing.atomic).
            if not name.startswith("."):
                yield f"{place}{os.sep}{name}"


def read_regular(path: Path | str, limit: int) -> bytes:
    """The content of a regular file of at most ``limit`` bytes.

    Raises:
        UserError: what is there is no file (a folder, a pipe), is too large, or cannot be read.
    """
    with _opened(path) as (file, size):
        if size > limit:
            raise UserError(f"{path}: {size:,} bytes, more than the {limit:,} it may have")
        content = file.read(limit + 1)
    if len(content) > limit:  # it grew meanwhile
        raise UserError(f"{path}: more than the {limit:,} bytes it may have")
    return content


def sha256_of(path: Path | str) -> str:
    """The SHA-256 of a regular file of any size, 64 hex digits; ``UserError`` as `read_regular`."""
    sha256 = hashlib.sha256()
    with _opened(path) as (file, _):
        while block := file.read(BLOCK):
            sha256.update(block)
    return sha256.hexdigest()


@contextmanager
def _opened(path: Path | str) -> Iterator[tuple[BinaryIO, int]]:
    try:
        number = os.open(path, os.O_RDONLY | WITHOUT_WAITING)
        try:
            status = os.fstat(number)
            _refuse(path, status.st_mode)
            with os.fdopen(number, "rb", buffering=0, closefd=False) as file:
                yield file, status.st_size  # pyright: ignore[reportReturnType]
        finally:
            os.close(number)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error


def _refuse(path: Path | str | os.PathLike[str], mode: int) -> None:
    for is_kind, name in KINDS:
        if is_kind(mode):
            raise NoFile(f"{os.fspath(path)}: is {name}, not a file")
