"""A record that is damaged, and the ways in which any file can be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Victim:
    """The files of a record, and of another one.

    Attributes:
        record, arrays: the damaged record and its per-image arrays.
        other, other_arrays: those of another run.
    """

    record: Path
    arrays: Path
    other: Path
    other_arrays: Path

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the record as a person would in an editor."""
        record = json.loads(self.record.read_text())
        change(record)
        self.record.write_text(json.dumps(record, indent=1, sort_keys=True))

    def text(self, change: Callable[[str], str]) -> None:
        """Change the record's text."""
        old = self.record.read_text()
        new = change(old)
        assert new != old, "the damage hits nothing"
        self.record.write_text(new)


Damage = Callable[[Victim], object]


def content(content: bytes) -> Damage:
    """The record becomes ``content``."""
    return lambda victim: victim.record.write_bytes(content)


def rewritten(change: Callable[[bytes], bytes]) -> Damage:
    """The record's bytes go through ``change``."""
    return lambda victim: victim.record.write_bytes(change(victim.record.read_bytes()))


def instead(make: Callable[[Path], object], *, arrays: bool = False) -> Damage:
    """The record, or its arrays, give way to what ``make`` makes at their path."""

    def damage(victim: Victim) -> None:
        path = victim.arrays if arrays else victim.record
        path.unlink()
        make(path)

    return damage


def flipped(content: bytes, place: float) -> bytes:
    """``content`` with one bit changed, at a share of its length."""
    at = int(len(content) * place)
    return content[:at] + bytes([content[at] ^ 0x01]) + content[at + 1 :]


def blanks(path: Path) -> None:
    """A gigabyte that takes no space: read whole it would take the memory."""
    with path.open("wb") as file:
        file.write(b" ")
        file.truncate(1 << 30)


def loop(path: Path) -> None:
    """A symbolic link to itself."""
    path.symlink_to(path.name)
