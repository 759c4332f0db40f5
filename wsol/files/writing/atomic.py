"""Writing files whole or not at all: a temporary file beside the target, fsync, rename.

A process that is killed leaves its temporary file. The next process that writes into the folder removes
it: the name says which machine's it is, and a lock on it that its owner is alive.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wsol.errors import UserError
from wsol.files.locking.system_lock import try_lock
from wsol.files.writing.leftovers import prefix_for, sweep_once
from wsol.files.writing.write_failure import writing


@contextmanager
def replacing(path: Path | str, allowed: Callable[[], object] | None = None) -> Iterator[Path]:
    """Give a temporary path in the target's folder; on success it becomes ``path``.

    If the block raises, the temporary file is removed and ``path`` is as it was. The block writes into
    the file that is there; another file in its place would not be known as a living process's.

    Args:
        path: what is written.
        allowed: asked when all is written, right before ``path`` changes; if it raises, it does not.

    Raises:
        CannotWrite: the system refuses it, because of a full disk for one.
    """
    with writing(path), _replacing(Path(path), allowed) as temporary:
        yield temporary


@contextmanager
def _replacing(path: Path, allowed: Callable[[], object] | None) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep_once(path.parent)
    temporary, handle = _temporary(path)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        # mkstemp makes private files; a result is as readable as any other file of the user's.
        temporary.chmod(0o666 & ~_umask())
        if allowed is not None:
            allowed()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


def write_bytes(path: Path | str, content: bytes, allowed: Callable[[], object] | None = None) -> Path:
    """Write ``content`` to ``path`` whole or not at all; see `replacing` for ``allowed``."""
    with replacing(path, allowed) as temporary:
        temporary.write_bytes(content)
    return Path(path)


def write_text(path: Path | str, content: str, allowed: Callable[[], object] | None = None) -> Path:
    r"""Write UTF-8 text with ``\n`` line ends whole or not at all; see `replacing` for ``allowed``.

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
    return write_bytes(path, encoded, allowed)


def _temporary(path: Path) -> tuple[Path, int | None]:
    """An empty file beside ``path``, and the handle whose lock says that its owner is alive."""
    while True:
        handle, name = tempfile.mkstemp(
            prefix=prefix_for(path.stem), suffix=path.suffix, dir=path.parent
        )
        temporary = Path(name)
        if os.name == "nt":  # an open file cannot be renamed there: leftovers are known by their age
            os.close(handle)
            return temporary, None
        # Before it was locked another process may have taken it for a leftover.
        if try_lock(handle) is not False and temporary.exists():
            return temporary, handle
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
