"""Writing a folder whole or not at all: built beside its place, then exchanged with what is there.

Where the system can exchange two folders in one step (Linux), a reader finds the old or the new one at
every moment. Elsewhere the old one is moved away and the new one in: a process that is killed between
leaves the old one beside, and the next sweep puts it back (`wsol.files.writing.leftovers`).
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wsol.files.writing.leftovers import OLD_FOLDER, lock_folder, prefix_for, sweep_once

AT_FDCWD, RENAME_EXCHANGE = -100, 2

# The handles whose locks say that this process lives.
_alive: set[int] = set()


@contextmanager
def replacing_folder(folder: Path | str) -> Iterator[Path]:
    """Give an empty folder that becomes ``folder`` when the block succeeds; else all is as it was."""
    folder = Path(folder)
    with temporary_folder(folder) as temporary:
        new = temporary / "new"
        new.mkdir()
        yield new
        _replace(new, folder, temporary / OLD_FOLDER / folder.name)


@contextmanager
def temporary_folder(beside: Path | str) -> Iterator[Path]:
    """An empty folder beside a path, gone in the end; the next process removes a killed one's."""
    beside = Path(beside)
    beside.parent.mkdir(parents=True, exist_ok=True)
    sweep_once(beside.parent)
    temporary, handle = _temporary(beside)
    if handle is not None:
        _alive.add(handle)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if handle in _alive:
            _alive.remove(handle)
            os.close(handle)


def _temporary(folder: Path) -> tuple[Path, int | None]:
    """A folder beside ``folder``, and the handle whose lock says that its owner is alive."""
    while True:
        temporary = Path(tempfile.mkdtemp(prefix=prefix_for(folder.name), dir=folder.parent))
        handle, alone = lock_folder(temporary)
        # Before it was locked another process may have taken it for a leftover.
        if alone is not False and temporary.exists():
            return temporary, handle
        if handle is not None:
            os.close(handle)


def _replace(new: Path, folder: Path, old: Path) -> None:
    if not os.path.lexists(folder):
        new.rename(folder)
    elif not exchange(new, folder):
        old.parent.mkdir()
        folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            old.rename(folder)
            raise


def exchange(first: Path, second: Path) -> bool:
    """Exchange two folders in one step; False where the system or the file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):  # a C library without it
        return False
    paths = os.fsencode(first), os.fsencode(second)
    return rename(AT_FDCWD, paths[0], AT_FDCWD, paths[1], ctypes.c_uint(RENAME_EXCHANGE)) == 0


def _forget() -> None:
    """A forked worker (a data loader's) outlives a killed parent by seconds, and vouches for nobody."""
    for handle in _alive:
        with suppress(OSError):
            os.close(handle)
    _alive.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
