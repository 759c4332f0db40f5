"""What a board remembers of the records it was made from, so that the next one is made quickly.

Nothing here is believed in place of content: records are known by the hash of all their bytes, which are
read each time; arrays by stamps of their files; comparisons by the hashes of the arrays. All of it is
void as soon as the code that checks and compares is another.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from wsol.board.runs.fingerprint import settled
from wsol.files.reading import Stamp, sha256_of
from wsol.files.remembered import recall, remember

PLACE = Path(".cache", "board.json")

# The rooms whose code makes a board of records.
ROOMS = ("board", "files", "recipe", "scores")


@dataclass
class Memory:
    """What was found before (``_old``), and what is found now, which alone is kept."""

    path: Path | None = None
    sound: set[str] = field(default_factory=set)
    hashes: dict[str, tuple[Stamp, str]] = field(default_factory=dict)
    comparisons: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    board: dict[str, str] = field(default_factory=dict)
    _old: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, results: Path | str) -> Memory:
        """That of a results folder; empty where there is none, or it is damaged or of other code."""
        path = Path(results) / PLACE
        old = recall(path)
        if old.get("code") != code_digest() or not _is_memory(old):
            old = {}
        return cls(path, _old=old | {"sound": set(old.get("sound", ()))})

    def knows(self, content_hash: str) -> bool:
        """Whether a record of these bytes passed every check before."""
        return content_hash in self._old.get("sound", ())

    def sha256(self, path: Path, name: str) -> str:
        """The SHA-256 of a file, read only where its stamp is new; ``name`` is its place in the results.

        ``UserError`` where it cannot be read.
        """
        stamp = Stamp.of(path)
        old = self._old.get("hashes", {}).get(name)
        found = old[1] if stamp and old and tuple(old[0]) == stamp else sha256_of(path)
        if stamp and settled(stamp):
            self.hashes[name] = (stamp, found)
        return found

    def comparison(self, key: str) -> dict[str, list[float]] | None:
        """What rows of these arrays gave before, by metric."""
        found = self._old.get("comparisons", {}).get(key)
        if found is not None:
            self.comparisons[key] = found
        return found

    def last_board(self) -> dict[str, str]:
        """The fingerprint of the latest board's records, and the hashes of its files."""
        return self._old.get("board", {})

    def save(self) -> None:
        """Keep what was found now, and nothing else."""
        if self.path is None:
            return
        content = {
            "code": code_digest(),
            "sound": sorted(self.sound),
            "hashes": {name: [list(stamp), found] for name, (stamp, found) in self.hashes.items()},
            "comparisons": self.comparisons,
            "board": self.board,
        }
        remember(self.path, content)


def _is_memory(old: Mapping[str, Any]) -> bool:
    kinds = {"sound": list, "hashes": dict, "comparisons": dict, "board": dict}
    return all(type(old.get(key)) is kind for key, kind in kinds.items())


@cache
def code_digest() -> str:
    """The hash of the code that makes boards, and of what runs it."""
    package = Path(__file__).parents[1]
    sha256 = hashlib.sha256(f"{platform.python_version()} {np.__version__}".encode())
    for room in ROOMS:
        for path in sorted((package / room).rglob("*.py")):
            sha256.update(path.read_bytes())
    return sha256.hexdigest()
