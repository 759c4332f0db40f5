"""One wsol command, which may send itself a signal just before one of its file operations.

The interpreter itself tells of the operations (`sys.addaudithook`), so the command runs as it is, and
a moment that found something is met again exactly.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import runpy
import signal
import sys
import threading
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Moment:
    """A file operation of a command, and the signal that the command gets just before it.

    Attributes:
        signal: its number; 0 only counts the operations.
        count: which of the matching operations, from 1.
        event: of these only, e.g. ``os.rename``; all changes where it is empty.
        ending: how the path ends, of a rename that of the new name.
        dies_at: at this later one it is killed.
    """

    signal: int = 0
    count: int = 0
    event: str = ""
    ending: str = ""
    dies_at: int = 0

    def to_json(self) -> str:
        """As text, for a command line."""
        return json.dumps(asdict(self))


class Watch:
    """Counts the operations below ``folder``, and sends the signal of ``moment``."""

    def __init__(self, folder: str, moment: Moment) -> None:
        self.folder, self.moment = folder.rstrip("/") + "/", moment
        self.seen = 0
        sys.addaudithook(self.see)

    def see(self, event: str, arguments: tuple) -> None:
        """One event of the interpreter."""
        if event == "open":
            path, flags = arguments[0], arguments[2]
            changes = isinstance(flags, int) and bool(flags & WRITING)
        else:
            changes = event in CHANGES
            path = arguments[1] if event == "os.rename" else arguments[0] if arguments else None
        if not changes or not isinstance(path, str | bytes | os.PathLike):
            return
        name = os.path.join(os.getcwd(), os.fsdecode(path))  # noqa: PTH109, PTH118 - a Path would be slow
        moment = self.moment
        if not name.startswith(self.folder) or not name.endswith(moment.ending):
            return
        if moment.event in ("", event):
            self.seen += 1
            if moment.signal and self.seen == moment.count:
                os.kill(os.getpid(), moment.signal)
            if self.seen == moment.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)


def run(argv: list[str], folder: str, moment: Moment) -> int:
    """Run ``wsol ARGV`` as ``python -m wsol.cli.main`` does; its exit code.

    How many operations there were is written to ``folder/operations``.
    """
    watch = Watch(folder, moment)
    sys.argv = ["wsol", *argv]
    code = 0
    try:
        runpy.run_module("wsol.cli.main", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # a forked process ends without the interpreter's end
    atexit._run_exitfuncs()
    seen = watch.seen
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    with contextlib.suppress(OSError):  # the disk may be full on purpose
        Path(folder, "operations").write_text(str(seen))
    return code


if __name__ == "__main__":
    os._exit(run(sys.argv[3:], sys.argv[1], Moment(**json.loads(sys.argv[2]))))
