"""Opening what a user names: only files, since opening a pipe waits for a writer, maybe for ever."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from wsol.errors import UserError

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
    for is_kind, name in KINDS:
        if is_kind(mode):
            raise NoFile(f"{os.fspath(path)}: is {name}, not a file")


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
