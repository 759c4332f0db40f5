"""What to say when the system refuses a write: a full disk, a used-up quota, a read-only disk."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsol.errors import UserError

# Error number to what happened and how to mend it.
REFUSALS = {
    errno.ENOSPC: ("no space is left on the disk", "make room"),
    errno.EDQUOT: ("your disk quota is used up", "make room"),
    errno.EFBIG: ("the file is larger than the system allows", "raise the limit (ulimit -f)"),
    errno.EROFS: ("the file system is read-only", "choose a folder that can be written"),
    errno.EACCES: ("permission denied", "choose a folder that can be written"),
    errno.EPERM: ("permission denied", "choose a folder that can be written"),
    errno.EIO: ("the disk reports an error", "look after the disk"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter one"),
    errno.ENOTDIR: ("a file stands where a folder is wanted", "choose another folder"),
    errno.EEXIST: ("a file stands where a folder is wanted", "choose another folder"),
    errno.EISDIR: ("a folder stands where a file is wanted", "move it away"),
    errno.ENOTEMPTY: ("a folder stands where a file is wanted", "move it away"),
    errno.EMFILE: ("too many files are open", "raise the limit (ulimit -n)"),
}
FULL = (errno.ENOSPC, errno.EDQUOT)
# Rust's way to name it, as safetensors does: "I/O error: No space left on device (os error 28)".
OS_ERROR = re.compile(r"\(os error (\d+)\)")


class CannotWrite(UserError, OSError):
    """The system refused a write. Its message names the file, what stands there now, and the mend."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.message, self.errno, self.strerror = message, number, os.strerror(number)

    def __str__(self) -> str:
        return self.message


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Within it ``path`` is being written, whole or not at all: what the system refuses has words.

    Raises:
        CannotWrite: in place of the system's error, or of what a library has made of it.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        number = error_number(error)
        if number is None or number not in REFUSALS:
            raise
        raise CannotWrite(_words(Path(path), number), number) from error


def error_number(error: BaseException | None) -> int | None:
    """The system's error number at the root of ``error``; None where it has none.

    torch raises a ``RuntimeError`` of its own while the system's error is on its way.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return error.errno
        if found := OS_ERROR.search(str(error)):
            return int(found.group(1))
        error = error.__cause__ or error.__context__
    return None


def _words(path: Path, number: int) -> str:
    what, mend = REFUSALS[number]
    if number in FULL and (free := _free_mib(path)) is not None:
        what += f" ({free:.1f} MiB free)"
    kept = "; the file that was there is unchanged" if path.is_file() else ""
    return f"{path}: cannot be written: {what}{kept}; {mend}, then run the same command again"


def _free_mib(path: Path) -> float | None:
    for folder in (path, *path.parents):
        try:
            return shutil.disk_usage(folder).free / 2**20
        except OSError:
            continue
    return None
