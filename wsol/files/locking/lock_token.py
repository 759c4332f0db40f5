"""The token of a held folder: who holds it, for the processes of all machines to read."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

TOKEN = ".lock"


@dataclass(frozen=True)
class Token:
    """Whose the folder is; ``name`` is random, since hosts and process numbers repeat."""

    host: str
    machine: str
    pid: int
    since: str
    name: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}"


def holder(folder: Path, patience: float) -> str:
    """The one line that says who holds ``folder``, and whether it seems to be stopped."""
    found = read_token(folder / TOKEN)
    try:
        silent = time.time() - (folder / TOKEN).stat().st_mtime
    except OSError:
        silent = 0.0
    if found is None:
        return f"{folder}: in use, {TOKEN} there does not say by whom; if nobody writes there delete it"
    line = f"{folder}: in use by {found}"
    if silent < patience:
        return line
    return f"{line}; silent for {silent / 60:.0f} min: continue it (kill -CONT {found.pid}) or end it"


def read_token(path: Path) -> Token | None:
    """The token, or None where there is none that can be read."""
    try:
        # A pipe of that name would never end.
        return Token(**json.loads(path.read_bytes())) if path.is_file() else None
    except (OSError, ValueError, TypeError, RecursionError):
        return None
