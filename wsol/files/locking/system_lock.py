"""The system's lock of one open file: a stopped process keeps it, a dead one has lost it.

It is asked for between the processes of one machine only, which every file system does right: between
machines some spread it, some do not, and some say so (`wsol.files.locking.lock` has a token for these).
"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

UNSUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EBADF}


def try_lock(handle: int) -> bool | None:
    """Lock an open file if nobody has; False: somebody has, None: this file system knows no locks.

    The lock ends with the handle, however the process ends.
    """
    try:
        _lock(handle)
    except OSError as error:
        return None if error.errno in UNSUPPORTED else False
    return True


@cache
def machine_tag(host: str | None = None) -> str:
    """Eight hex digits of this machine, the same after it was started anew.

    A host name alone is not enough: many a cluster calls all its machines ``localhost``.
    """
    machine = ""
    with suppress(OSError):
        machine = Path("/etc/machine-id").read_text(encoding="ascii", errors="replace").strip()
    name = host or socket.gethostname()
    return hashlib.sha256(f"{name} {machine}".encode()).hexdigest()[:8]


if os.name == "nt":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
else:
    import fcntl

    def _lock(handle: int) -> None:
        # flock, not lockf: that one is lost as soon as any handle of the file is closed, and lets the
        # same process in twice.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
