"""A process that works at rows of a grid, one after another: ``python -m wsol.pipeline.grid.worker``.

It reads a task a line from its input and writes to its output: lines for the reader, and after each row
an answer, which begins with `ANSWER`. When its input ends it ends, and so do its children: whoever
started it has no more rows or is dead, however it died.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
from typing import NoReturn

ANSWER = "\0"

# Seconds that a worker whose launcher is dead may take to leave nothing half-written.
GRACE = 10.0


def main() -> None:
    """Work until the input ends."""
    signal.signal(signal.SIGTERM, _leave)
    # The processes that load images are forked from here: what they find as their input is empty.
    given = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    tasks: queue.Queue[str | None] = queue.Queue()
    at_work, over = threading.Event(), threading.Event()
    threading.Thread(target=_read, args=(given, tasks, at_work, over), daemon=True).start()
    try:
        while (task := tasks.get()) is not None:
            at_work.set()
            answer = _answer(json.loads(task))
            at_work.clear()
            print(f"\n{ANSWER}{json.dumps(answer)}", flush=True)
    finally:
        over.set()


def _answer(task: dict) -> list[str]:
    # Imported here: until then the input is watched already.
    from wsol.pipeline.grid.row_work import attempt, words_of
    from wsol.pipeline.grid.rows import rows_of
    from wsol.recipe import Recipe

    recipe = Recipe.from_dict(task["recipe"])
    try:
        (row,) = rows_of("", recipe, [recipe.seed], task["also"])
    except Exception as error:
        return ["failed", words_of(error)]
    return list(attempt(row, task["overlays"]))


def _read(
    given: int, tasks: queue.Queue[str | None], at_work: threading.Event, over: threading.Event
) -> None:
    """Tasks as they come. At the end of the input the work ends too, by force after `GRACE`."""
    rest = b""
    # Not through a buffered file: its lock would be held while this waits, in forked children for good.
    while content := os.read(given, 65536):
        *lines, rest = (rest + content).split(b"\n")
        for line in lines:
            tasks.put(line.decode())
    tasks.put(None)
    if at_work.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
        if not over.wait(GRACE):
            _kill_all()


def _leave(*_: object) -> NoReturn:
    # Asked once more while it leaves, by its launcher or by the end of its input, it goes on leaving.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + signal.SIGTERM)


def _kill_all() -> None:
    """This process and its children, where it has a group of its own."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    main()
