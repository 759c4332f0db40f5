"""Starting, stopping and ending wsol commands, and what came out of them.

Of a command's eight seconds six are imports, in which there is nothing to spoil. So the libraries are
imported here once and every command is a fork: moments drawn over its time fall on its work. With
``WARM = False`` (``--cold``) each is a Python process from the start.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.attack.child import Moment, run

WARM = True
# Seconds after which a command hangs. The longest takes three of them on a quiet machine.
PATIENCE = 120.0
NOTHING = Moment()
CHECKOUT = Path(__file__).resolve().parents[2]
LIBRARIES = (
    "torch", "torchvision", "timm", "lightning_fabric", "torchmetrics", "torchcam", "safetensors.torch",
    "cv2", "numba", "pandas", "sklearn.datasets", "skimage.data", "rich.console", "rich.table",
    "jsonargparse", "jinja2", "matplotlib", "PIL.Image",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        argv: its arguments.
        code: its exit code; minus the number of the signal that ended it.
        output, errors: what it wrote.
        hung: whether it had to be killed after `PATIENCE`.
        seconds: how long it ran.
        operations: file operations below its folder, 0 where it was killed.
    """

    argv: tuple[str, ...]
    code: int
    output: str
    errors: str
    hung: bool
    seconds: float
    operations: int

    @property
    def last_line(self) -> str:
        """The last line it wrote, for findings."""
        lines = [line for line in (self.output + "\n" + self.errors).splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""


class Running:
    """A command that runs in ``place/work``, with ``place/tmp`` for temporary files."""

    def __init__(self, argv: list[str], place: Path, moment: Moment = NOTHING) -> None:
        self.argv, self.place = tuple(argv), place
        (place / "tmp").mkdir(parents=True, exist_ok=True)
        (place / "work").mkdir(exist_ok=True)
        (place / "operations").unlink(missing_ok=True)
        self.files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]  # noqa: SIM115
        self.started = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            self._child(list(argv), moment)
        self.ended = os.pidfd_open(self.pid)

    def _child(self, argv: list[str], moment: Moment) -> None:
        """What the forked process does; never returns."""
        code = 70
        try:
            os.setsid()
            for number, file in enumerate(self.files, start=1):
                os.dup2(file.fileno(), number)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.chdir(self.place / "work")
            tempfile.tempdir = None
            for name in ("FORCE_COLOR", "COLUMNS"):
                os.environ.pop(name, None)
            os.environ |= {"TMPDIR": str(self.place / "tmp"), "OMP_NUM_THREADS": "1"}
            os.environ["PYTHONPATH"] = str(CHECKOUT)
            if WARM:
                code = run(argv, str(self.place), moment)
            else:
                module = [sys.executable, "-m", "benchmarks.attack.child"]
                os.execv(sys.executable, [*module, str(self.place), moment.to_json(), *argv])
        finally:
            os._exit(code)

    def signal(self, number: int) -> None:
        """Send the command a signal."""
        os.kill(self.pid, number)

    def has_ended(self) -> bool:
        """Whether the command has ended."""
        return bool(select.select([self.ended], [], [], 0)[0])

    def stopped(self) -> bool:
        """Wait until the command stops itself; False where it ends before."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WUNTRACED | os.WNOHANG)
            if pid:
                self.status = status
                return os.WIFSTOPPED(status)
            time.sleep(0.005)
        return False

    def wait(self, patience: float | None = None) -> Outcome:
        """Wait for the end; a command that takes too long is killed and has hung."""
        try:
            hung = not select.select([self.ended], [], [], PATIENCE if patience is None else patience)[0]
        except BaseException:
            self.kill()
            raise
        if hung:
            self.kill()
        status = getattr(self, "status", None)
        if status is None or os.WIFSTOPPED(status):
            status = os.waitpid(self.pid, 0)[1]
        seconds = time.monotonic() - self.started
        os.close(self.ended)
        counted = self.place / "operations"
        operations = int(counted.read_text() or 0) if counted.is_file() else 0
        counted.unlink(missing_ok=True)
        written = []
        for file in self.files:
            file.seek(0)
            written.append(file.read().decode(errors="replace"))
            file.close()
        code = os.waitstatus_to_exitcode(status)
        return Outcome(self.argv, code, written[0], written[1], hung, seconds, operations)

    def kill(self) -> None:
        """Kill -9 the command, and what it has started."""
        os.killpg(self.pid, signal.SIGKILL)


def command(argv: list[str], place: Path, moment: Moment = NOTHING) -> Outcome:
    """Run ``wsol ARGV`` to its end."""
    return Running(argv, place, moment).wait()


def killed_after(argv: list[str], place: Path, seconds: float) -> Outcome:
    """Run ``wsol ARGV`` and kill -9 it, it alone, after ``seconds`` unless it has ended."""
    running = Running(argv, place)
    select.select([running.ended], [], [], seconds)
    running.signal(signal.SIGKILL)  # of one that has ended nothing is left to be killed
    return running.wait()


def warm_up() -> None:
    """Import what commands import, so that their forks need not."""
    for name in LIBRARIES if WARM else ():
        try:
            importlib.import_module(name)
        except ImportError:
            continue
