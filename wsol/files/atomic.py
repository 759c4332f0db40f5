"""Writing files whole or not at all: a temporary file beside the target, fsync, rename."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsol.errors import UserError
from wsol.files.write_failure import writing


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Give a temporary path in the target's folder; on success it becomes ``path``.

    If the block raises, the temporary file is removed and ``path`` is as it was. ``CannotWrite`` where
    the system refuses it, a full disk for one.
    """
    with writing(path), _replacing(Path(path)) as temporary:
        yield temporary


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        # mkstemp makes private files; a result is as readable as any other file of the user's.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path | str, content: bytes) -> Path:
    """Write ``content`` to ``path`` whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)


def write_text(path: Path | str, content: str) -> Path:
    r"""Write UTF-8 text with ``\n`` line ends whole or not at all.

    ``UserError`` names the piece that is no Unicode text: a file's name in another encoding.
    """
    try:
        encoded = content.encode("utf-8")
    except UnicodeEncodeError as error:
        piece = content[max(0, error.start - 40) : error.end + 20].splitlines()
        shown = next(line for line in piece if not line.isascii())
        raise UserError(
            f"{path}: {shown!r} holds bytes that are no UTF-8 text: rename that file or folder"
        ) from None
    return write_bytes(path, encoded)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
