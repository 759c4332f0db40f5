"""Tiny rows whose training does what a test asks for; pipes that say when a process is where."""

import os
import select
from pathlib import Path

import pytest

MODULES = Path(__file__).parent / "modules"
# Of a machine that is busy: nothing here is expected to take long.
PATIENCE = 300


class Pipes:
    """``reached``: processes that wait hold it open; ``go``: lets them go on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        os.mkfifo(folder / "reached")
        os.mkfifo(folder / "go")
        self._listen()

    def _listen(self) -> None:
        # Not blocking: who opens it to write need not be there yet.
        self._reached = os.open(self.folder / "reached", os.O_RDONLY | os.O_NONBLOCK)

    def wait(self, processes: int = 1) -> None:
        """Until so many processes have come to their gate."""
        for _ in range(processes):
            assert self._next() == b"."

    def wait_for_the_end(self) -> None:
        """Until no process holds its gate any more."""
        assert self._next() == b""
        os.close(self._reached)
        self._listen()  # to those that come later

    def open(self) -> None:
        """Let a process that waits go on."""
        (self.folder / "go").write_text("")

    def _next(self) -> bytes:
        ready = select.poll()
        ready.register(self._reached, select.POLLIN | select.POLLHUP)
        assert ready.poll(1000 * PATIENCE), "nobody came"
        return os.read(self._reached, 1)


@pytest.fixture
def pipes(tmp_path):
    (tmp_path / "gate").mkdir()
    return Pipes(tmp_path / "gate")


@pytest.fixture
def gated(tiny_recipe, monkeypatch):
    """A recipe by what its training does; each is one row, of three steps an epoch."""
    monkeypatch.syspath_prepend(str(MODULES))

    def recipe(act: str = "", step: int = 0, **changes):
        options = {"act": act, "step": step} if act else {}
        return tiny_recipe.changed(
            attention={"name": "gate:Gate", "options": options},
            evaluation={"maps": ["cam"], "masks": False},
            **changes,
        )

    return recipe
