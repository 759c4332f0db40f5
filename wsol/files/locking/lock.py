"""One process a folder: who holds the lock may write there, everyone else is told who does.

Two things together, since neither is enough alone:

- ``.lock-<machine>``, a file for each machine, carries the system's lock. It decides between processes
  of one machine: a stopped process keeps it, a dead one has lost it at once, no clock is asked.
- ``.lock``, the token, decides between machines (and where the file system knows no locks). It says
  host, process and a random name, and its time of change is its stamp, renewed while the holder lives.
  Not renewed for long it may be taken over, because nobody can ask a dead machine.

A holder that was stopped and taken over from another machine does not know it when it goes on. So it
asks before whatever it writes (`Lock.check`): a token with another name than its own means that it
writes nothing more. Of two machines that take over the same token at once the later write stays, and
the other is stopped by its next check.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from wsol.errors import UserError
from wsol.files.locking.lock_token import TOKEN, Token, holder, read_token
from wsol.files.locking.system_lock import machine_tag, try_lock
from wsol.files.writing.atomic import write_bytes
from wsol.files.writing.leftovers import OLD
from wsol.files.writing.write_failure import writing

# Seconds. A holder renews fifteen times in between, from a thread that Python lets run between two
# steps; a step that holds Python for minutes (compiling, reading large weights on a slow disk) must not
# look like death. Longer only delays the run of a machine that really died.
TAKEN_OVER_AFTER = 15 * 60.0
RENEWALS = 15
# Seconds between two looks while waiting: small against an epoch, too rare to load a file server.
LOOK_AGAIN = 1.0


class Held(UserError):
    """Somebody else holds the folder; the message says who and since when."""


class Lost(UserError):
    """The folder was taken over, or removed, while this process held it: it may not write there."""


class Lock:
    """A folder that this process holds; `hold` gives it."""

    def __init__(self, folder: Path, token: Token, handle: int, patience: float) -> None:
        self.folder, self.token, self.handle = folder, token, handle
        self._done = threading.Event()
        renewal = threading.Thread(target=self._renew, args=(patience / RENEWALS,), daemon=True)
        renewal.start()

    def check(self) -> None:
        """``Lost`` unless the token is still this holder's; to be called right before publishing."""
        found = read_token(self.folder / TOKEN)
        if found is not None and found.name == self.token.name:
            return
        now = (
            "its lock is gone: was it removed or cleared?" if found is None else f"taken over by {found}"
        )
        raise Lost(f"{self.folder}: {now}; this process ({self.token}) writes nothing more there")

    def release(self) -> None:
        """Let others in; what was taken over stays as it is."""
        if self._done.is_set():
            return
        self._done.set()
        found = read_token(self.folder / TOKEN)
        if found is not None and found.name == self.token.name:
            self._sweep()
            (self.folder / TOKEN).unlink(missing_ok=True)
        _close(self.handle, _system_file(self.folder, self.token.machine))

    def _sweep(self) -> None:
        """Remove the files of machines that are gone; what they guarded is the token, ours until now."""
        with suppress(OSError):
            for path in self.folder.glob(f"{TOKEN}-*"):
                if time.time() - path.stat().st_mtime > OLD:
                    path.unlink()

    def _renew(self, every: float) -> None:
        while not self._done.wait(every):
            # A file server that does not answer now may do so the next time.
            with suppress(OSError, Lost):
                self.check()
                os.utime(self.folder / TOKEN)


# What this process holds, by folder, host and thread: asked for again it is the same lock.
_HELD: dict[tuple[Path, str, int], Lock] = {}


@contextmanager
def hold(
    folder: Path | str,
    *,
    wait: Callable[[str], object] | None = None,
    host: str | None = None,
    patience: float = TAKEN_OVER_AFTER,
) -> Iterator[Lock]:
    """Hold ``folder``, which is made where it is missing, as its only process.

    Within the block the same thread may hold it again: it gets the same lock.

    Args:
        folder: what is held. Folders in it are not: who writes there has to ask for this one.
        wait: is told once whom this process waits for; None does not wait.
        host: this machine's name; tests play two machines with it.
        patience: seconds without renewal after which another machine's token is taken over.

    Raises:
        Held: somebody else holds it, and ``wait`` is None.
        CannotWrite: the system refuses to write there.
    """
    folder = Path(folder).absolute()
    key = (folder.resolve(), host or socket.gethostname(), threading.get_ident())
    if key in _HELD:
        yield _HELD[key]
        return
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    lock = _HELD[key] = _wait(folder, key[1], patience, wait)
    try:
        yield lock
    finally:
        if _HELD.pop(key, None) is not None:  # None in a forked child, whose parent goes on holding it
            lock.release()
            with suppress(OSError):  # where nothing came of it no empty folder stays
                for place in made:
                    place.rmdir()


def check_held() -> None:
    """``Lost`` where a folder that this thread holds is no longer its own; see `Lock.check`."""
    for (_, _, thread), lock in list(_HELD.items()):
        if thread == threading.get_ident():
            lock.check()


def _wait(folder: Path, host: str, patience: float, wait: Callable[[str], object] | None) -> Lock:
    told = False
    while True:
        try:
            with writing(folder / TOKEN):
                return _take(folder, host, patience)
        except FileNotFoundError:
            continue  # another process has removed the empty folder just now
        except Held as held:
            if wait is None:
                raise
            if not told:
                wait(f"{held}; waiting")
                told = True
        time.sleep(LOOK_AGAIN)


def _take(folder: Path, host: str, patience: float) -> Lock:
    folder.mkdir(parents=True, exist_ok=True)
    machine = machine_tag(host)
    path = _system_file(folder, machine)
    handle, alone = _open(path)
    token = Token(
        host=host,
        machine=machine,
        pid=os.getpid(),
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        name=secrets.token_hex(8),
    )
    if alone is False:
        os.close(handle)
        raise Held(holder(folder, patience))
    try:
        # The file server's clock, not this machine's: the stamps of the others are from there too.
        os.utime(path)
        _claim(folder, token, bool(alone), patience, path.stat().st_mtime)
    except BaseException:
        _close(handle, path)
        raise
    return Lock(folder, token, handle, patience)


def _claim(folder: Path, token: Token, alone: bool, patience: float, now: float) -> None:
    """Make ``.lock`` ours, or raise ``Held``; ``alone``: no process of this machine holds it."""
    path, content = folder / TOKEN, json.dumps(asdict(token)).encode()
    try:
        file = path.open("xb")
    except FileExistsError:
        found = read_token(path)
    else:
        try:
            with file:
                file.write(content)
        except OSError:  # a full disk: half a token would keep everybody out
            path.unlink(missing_ok=True)
            raise
        return
    dead = alone and found is not None and found.machine == token.machine
    # A stamp of the future has not been renewed since a clock was set back.
    if not dead and abs(now - path.stat().st_mtime) < patience:
        raise Held(holder(folder, patience))
    write_bytes(path, content)


def _system_file(folder: Path, machine: str) -> Path:
    return folder / f"{TOKEN}-{machine}"


def _open(path: Path) -> tuple[int, bool | None]:
    """The file that carries the system's lock, and what `try_lock` says of it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        alone = try_lock(handle)
        # A holder that leaves removes the file: a lock of a removed file keeps nobody out.
        with suppress(FileNotFoundError):
            if not alone or os.fstat(handle).st_ino == path.stat().st_ino:
                return handle, alone
        os.close(handle)


def _close(handle: int, path: Path) -> None:
    """Remove the file while it is still locked, so that it is not the next holder's, and unlock it."""
    open_files_stay = os.name == "nt"  # Windows: there an open file, the next holder's too, is kept
    if open_files_stay:
        os.close(handle)
    with suppress(OSError):
        path.unlink()
    if not open_files_stay:
        os.close(handle)


def _forget() -> None:
    """A forked worker (a data loader's) is no holder: it would keep the lock of a dead parent."""
    for lock in _HELD.values():
        with suppress(OSError):
            os.close(lock.handle)
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
