"""Rows of a grid shared among processes of this machine, each of which may die without the others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from wsol.cores import SHARE, cores
from wsol.pipeline.grid.agenda import Agenda, Answer
from wsol.pipeline.grid.rows import GridRow
from wsol.pipeline.grid.worker import ANSWER, GRACE
from wsol.recipe.fields import plain


def share_out(agenda: Agenda, overlays: int, jobs: int) -> None:
    """Work at the agenda by ``jobs`` processes until nothing is left of it.

    The cores and the processes that load images are divided among them. When this is interrupted they
    are stopped; when this process dies they stop by themselves.
    """
    workers = [Worker(jobs) for _ in range(jobs)]
    threads = [
        threading.Thread(target=worker.work, args=(agenda, overlays), daemon=True) for worker in workers
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        agenda.stop()
        for worker in workers:
            worker.ask_to_stop()
        for worker in workers:
            worker.stop()


class Worker:
    """One process at a time, which does one row after another; a dead one has a successor."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._process: subprocess.Popen[str] | None = None

    def work(self, agenda: Agenda, overlays: int) -> None:
        """Take rows until none is left, then let the process go."""
        agenda.work_off(lambda row: self._attempt(row, overlays, partial(agenda.tell, row)))
        self.stop()

    def _attempt(self, row: GridRow, overlays: int, tell: Callable[[str], None]) -> Answer:
        if self._process is None:
            self._process = self._start()
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        recipe = row.recipe.changed(how={"workers": row.recipe.how.workers // self._jobs})
        also = [scoring.manifest.folder.as_posix() for scoring in row.scorings[1:]]
        task = {"recipe": plain(recipe), "also": also, "overlays": overlays}
        with suppress(OSError):  # a dead one says so by ending its output
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
        for line in process.stdout:
            if line.startswith(ANSWER):
                return Answer(*json.loads(line.removeprefix(ANSWER)))
            if line.strip():
                tell(line.rstrip())
        code = process.wait()
        self.stop()
        return Answer("failed", f"its process {_end(code)}; the same command goes on with it")

    def _start(self) -> subprocess.Popen[str]:
        share = str(max(1, cores() // self._jobs))
        environment: dict[str, Any] = {
            **os.environ,
            SHARE: share,
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", share),
            # What can be imported here can be there, a recipe's own modules too.
            "PYTHONPATH": os.pathsep.join(str(Path(place).absolute()) for place in sys.path),
            "PYTHONIOENCODING": "utf-8:backslashreplace",
        }
        return subprocess.Popen(
            [sys.executable, "-m", "wsol.pipeline.grid.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            encoding="utf-8",
            errors="replace",
            bufsize=1,
            # Ctrl-C goes to whom the terminal knows; its children are stopped by their launcher.
            start_new_session=True,
        )

    def ask_to_stop(self) -> None:
        """End the process's input, and its work if it is at any; it leaves nothing half-written."""
        process = self._process
        if process is not None and process.poll() is None:
            with suppress(OSError):
                process.terminate()

    def stop(self) -> None:
        """See the process and its children gone: one that is idle ends with its input."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(OSError, AttributeError):  # what is left of its group
            os.killpg(process.pid, signal.SIGKILL)


def _end(code: int) -> str:
    """How a process ended, in words: out of memory it is killed without any of its own."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
