"""One hash of all that a folder of runs holds: equal ones give the same board."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from wsol.errors import UserError
from wsol.files.reading import Stamp, files_under, read_regular
from wsol.scores.records import LARGEST_RECORD

# A file written this shortly ago may be written again under the same stamp.
FRESH = 2_000_000_000  # ns


def fingerprint(folder: Path | str) -> str:
    """The content of every record and the stamp of every other file under ``folder``, as one hash.

    Empty where that cannot be told: a file cannot be read, or was written only just now.
    """
    folder = str(folder)
    sha256 = hashlib.sha256()
    try:
        for path in files_under(folder, _give_up):
            sha256.update(_line(path, len(folder)))
    except (OSError, UserError):
        return ""
    return sha256.hexdigest()


def settled(stamp: Stamp) -> bool:
    """Whether the file can be known by its stamp."""
    return time.time_ns() - max(stamp.modified, stamp.changed) > FRESH


def _line(path: str, start: int) -> bytes:
    if path.endswith(".json"):
        said = hashlib.sha256(read_regular(path, LARGEST_RECORD)).hexdigest()
    else:
        stamp = Stamp.of(path)
        if stamp is None or not settled(stamp):
            raise UserError(f"{path}: not known by its stamp")
        said = repr(tuple(stamp))
    return f"{path[start:]!r} {said}\n".encode()


def _give_up(error: OSError) -> None:
    raise error
