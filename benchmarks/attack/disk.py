"""A full disk: a line and exit code 2, earlier files intact; and once there is room the command ends.

The disk is a small tmpfs in a mount namespace of the attack's own, which ends with it. Where the system
forbids that, a limit on the size of files takes its place: writes fail too, though with another error.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.attack.command import command
from benchmarks.attack.comparison import contents, differences, left_in_temporary
from benchmarks.attack.findings import Tally
from benchmarks.attack.targets import Target, half_written, targets
from benchmarks.attack.workbench import Workbench, clear

DISK = 16 << 20
# How much of what the command writes has room.
SHARES = (0.0, 0.2, 0.5, 0.8, 0.95, 1.0)
NEW_NAMESPACE, NEW_USER, PRIVATE = 0x20000, 0x10000000, 0x44000  # unshare(2), mount(2)


class Disk:
    """A file system at ``folder`` whose free space can be set."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.ballast = folder, folder / "ballast"
        self.mounted = self._mount()
        if not self.mounted:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            print("disk: no tmpfs may be mounted here; files are limited in size instead", flush=True)

    def _mount(self) -> bool:
        libc, user, group = ctypes.CDLL(None, use_errno=True), os.getuid(), os.getgid()
        if libc.unshare(NEW_NAMESPACE | (NEW_USER if user else 0)):
            return False
        if user:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {user} 1")
            Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        libc.mount(b"none", b"/", None, PRIVATE, None)
        return not libc.mount(b"tmpfs", bytes(self.folder), b"tmpfs", 0, f"size={DISK}".encode())

    def used(self) -> int:
        """Bytes in use, whole pages."""
        state = os.statvfs(self.folder)
        return (state.f_blocks - state.f_bavail) * state.f_frsize

    def leave(self, room: int) -> None:
        """Fill the disk but for ``room`` bytes."""
        if not self.mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
            return
        with self.ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(4096, DISK - self.used() - room))

    def make_room(self) -> None:
        """Take away what fills the disk."""
        self.ballast.unlink(missing_ok=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def disk(bench: Workbench, tally: Tally) -> None:
    """Run the cases in a process of its own, since it never leaves its namespace."""
    targets(bench)  # makes what lies outside the small disk
    fork = multiprocessing.get_context("fork")
    receiving, sending = fork.Pipe(duplex=False)
    process = fork.Process(target=_inside, args=(bench, tally, sending))
    process.start()
    sending.close()
    tally.cases, tally.findings = receiving.recv()
    process.join()


def _inside(bench: Workbench, tally: Tally, sending: Connection) -> None:
    small = Disk(bench.folder / "cases")
    for target in targets(bench).values():
        names = [f"{target.name}, room for {share:.0%}" for share in SHARES]
        if not any(tally.wanted in name for name in names):
            continue
        place = target.place(bench, f"{target.name} undisturbed")
        before = small.used()
        bench.done(target.argv, place)
        need, end = small.used() - before, contents(place / "work")
        largest = max(path.stat().st_size for path in place.rglob("*") if path.is_file())
        clear(place)
        for name, share in zip(names, SHARES, strict=True):
            if tally.takes(name):
                _case(
                    bench, tally, target, small, end, int(share * (need if small.mounted else largest))
                )
    sending.send((tally.cases, tally.findings))


def _case(
    bench: Workbench, tally: Tally, target: Target, small: Disk, end: dict[str, str], room: int
) -> None:
    place = target.place(bench, tally.cases[-1])
    (place / "tmp").mkdir()
    before = contents(place / "work")
    small.leave(room)
    outcome = command(target.argv, place)
    small.make_room()
    tally.judge(outcome)
    if half := half_written(place / "work", [before, end]):
        tally.found("wrong figures", f"disk full: {', '.join(half[:4])} are neither old nor new")
    _check_leftovers(tally, place, before | end, "disk full")
    tally.judge(command(target.argv, place), (0,))
    if wrong := differences(end, contents(place / "work"))[0]:
        tally.found("wrong figures", f"with room again: {', '.join(wrong[:4])} differ")
    _check_leftovers(tally, place, end, "with room again")
    clear(place)


def _check_leftovers(tally: Tally, place: Path, expected: dict[str, str], when: str) -> None:
    """Files that belong to no state of the command; those of an interrupted run do."""
    extra = [name for name in contents(place / "work") if name not in expected]
    extra = [name for name in extra if not (when == "disk full" and name.endswith("/resume.pth"))]
    if extra := [*extra, *left_in_temporary(place)]:
        tally.found("leftovers", f"{when}: {', '.join(extra[:4])}")
