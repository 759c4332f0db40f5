"""Temporary files and folders of processes that were killed: known by their names, removed by the next.

``.<what>-wsol<machine>-<random><suffix>``. Of this machine's, one that nobody has locked is a leftover.
Of another machine's (or where the file system knows no locks) nobody can tell: it has to be a day old.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from wsol.files.locking.system_lock import machine_tag, try_lock

NAME = re.compile(r"\..*-wsol(?P<machine>[0-9a-f]{8})-[0-9a-z_]{8}(\..*)?", re.DOTALL)
OLD = 24 * 60 * 60.0
# Names of more than 255 bytes are refused by most file systems, and these are longer than the target's.
LONGEST_STEM = 40
# In a temporary folder: where the folder that is being replaced lies meanwhile.
OLD_FOLDER = "old"

_swept: set[str] = set()


def prefix_for(stem: str) -> str:
    """How the name of a temporary file or folder begins; `tempfile` adds eight characters."""
    return f".{stem[:LONGEST_STEM]}-wsol{machine_tag()}-"


def sweep_once(folder: Path) -> None:
    """Remove what dead processes left in ``folder``, the first time this process writes there."""
    place = str(Path(folder).absolute())
    if place not in _swept:
        _swept.add(place)
        sweep(folder)


def sweep(folder: Path) -> None:
    """Remove what dead processes left in ``folder``."""
    for leftover in leftovers(folder):
        remove(leftover)


def leftovers(folder: Path) -> Iterator[Path]:
    """What dead processes left in ``folder``; each is locked while the caller looks at it."""
    try:
        with os.scandir(folder) as entries:
            found = [
                (Path(entry.path), match) for entry in entries if (match := NAME.fullmatch(entry.name))
            ]
    except OSError:
        return
    for place, match in found:
        handle = None
        try:
            handle, alone = _locked(place, match["machine"])
            if alone or (alone is None and time.time() - place.lstat().st_mtime > OLD):
                yield place
        except OSError:
            continue  # gone meanwhile, or another user's
        finally:
            if handle is not None:
                os.close(handle)


def remove(leftover: Path) -> None:
    """Remove a file or folder; one that may not be removed, or is gone already, stays as it is.

    A folder that was moved away to be replaced, and was not, is put back first.
    """
    if leftover.is_dir() and not leftover.is_symlink():
        with suppress(OSError):
            for old in (leftover / OLD_FOLDER).iterdir():
                if not os.path.lexists(leftover.parent / old.name):
                    old.rename(leftover.parent / old.name)
        shutil.rmtree(leftover, ignore_errors=True)
    else:
        with suppress(OSError):
            leftover.unlink()


def lock_folder(folder: Path) -> tuple[int | None, bool | None]:
    """An open handle of a folder, and what `try_lock` says of it; None, None where folders have none."""
    if os.name == "nt":
        return None, None
    handle = os.open(folder, os.O_RDONLY)
    return handle, try_lock(handle)


def _locked(place: Path, machine: str) -> tuple[int | None, bool | None]:
    """An open handle, and what `try_lock` says of it; None, None where a lock would say nothing."""
    if machine != machine_tag() or os.name == "nt" or not (place.is_file() or place.is_dir()):
        return None, None
    if place.is_dir():
        return lock_folder(place)
    handle = os.open(place, os.O_RDWR)
    return handle, try_lock(handle)
