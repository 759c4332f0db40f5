"""Damage to a record's arrays, files more than there should be, and forgeries."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.attack.record_damage import KEY
from benchmarks.attack.victim import Damage, Victim, blanks, flipped, instead, loop, rewritten


def _flipped_arrays(place: float) -> Damage:
    return lambda victim: victim.arrays.write_bytes(flipped(victim.arrays.read_bytes(), place))


def _fitting_arrays(victim: Victim) -> None:
    """Other arrays, whose hash the record is given: only `results verify` can tell."""
    shutil.copy(victim.other_arrays, victim.arrays)
    sha256 = hashlib.sha256(victim.arrays.read_bytes()).hexdigest()
    victim.edit(lambda record: record["arrays"].update(sha256=sha256))


def _changed_copy(victim: Victim) -> None:
    """The same run twice, with two figures: nobody knows which is right."""
    copy = victim.record.with_name("copy.json")
    shutil.copy(victim.record, copy)
    record = json.loads(copy.read_text())
    record["metrics"][KEY].update(value=99.0, low=98.0, high=100.0)
    copy.write_text(json.dumps(record, indent=1, sort_keys=True))


def _swap(victim: Victim) -> None:
    first, second = victim.arrays.read_bytes(), victim.other_arrays.read_bytes()
    victim.arrays.write_bytes(second)
    victim.other_arrays.write_bytes(first)


def _hostile_npz(path: Path) -> None:
    np.savez(path, correct=np.array([{"a": 1}], dtype=object))


# The record is whole, its arrays are not.
ARRAYS: dict[str, Damage] = {
    "arrays missing": lambda victim: victim.arrays.unlink(),
    "arrays empty": lambda victim: victim.arrays.write_bytes(b""),
    "arrays' first half": lambda victim: victim.arrays.write_bytes(
        victim.arrays.read_bytes()[: victim.arrays.stat().st_size // 2]
    ),
    "arrays' bit flipped early": _flipped_arrays(0.02),
    "arrays' bit flipped in the middle": _flipped_arrays(0.5),
    "arrays' bit flipped late": _flipped_arrays(0.98),
    "arrays of another run": lambda victim: shutil.copy(victim.other_arrays, victim.arrays),
    "arrays swapped": _swap,
    "arrays of text": lambda victim: victim.arrays.write_text("not arrays"),
    "arrays as a pickle": instead(_hostile_npz, arrays=True),
    "arrays a directory": instead(Path.mkdir, arrays=True),
    "arrays a FIFO": instead(lambda path: os.mkfifo(path), arrays=True),
    "arrays a symlink to itself": instead(loop, arrays=True),
    "arrays a gigabyte": instead(blanks, arrays=True),
}
# Files more than there should be.
ADDED: dict[str, Damage] = {
    "byte-order mark": rewritten(lambda content: b"\xef\xbb\xbf" + content),
    "a copy beside": lambda victim: shutil.copy(victim.record, victim.record.with_name("copy.json")),
    "a copy with another figure": _changed_copy,
    "another program's JSON": lambda victim: victim.record.with_name("notes.json").write_text(
        '{"a": 1}'
    ),
    "a folder named .json": lambda victim: victim.record.with_name("notes.json").mkdir(),
    "a FIFO named .json": lambda victim: os.mkfifo(victim.record.with_name("notes.json")),
    "a symlink to the folder above": lambda victim: victim.record.with_name("up").symlink_to(".."),
    "an editor's backup": lambda victim: shutil.copy(victim.record, str(victim.record) + "~"),
    "a half written temporary file": lambda victim: victim.record.with_name(".x-1.json").write_text("{"),
}


def _forged(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Edited by one who drops the digest and says it is an old record."""

    def edit(record: dict[str, Any]) -> None:
        change(record)
        for later in ("digest", "metrics_version"):
            record.pop(later, None)
        record["schema_version"] = 2

    return lambda victim: victim.edit(edit)


# Forgeries that are whole in themselves: the board cannot tell, `results verify` must.
FORGED: dict[str, Damage] = {
    "figure forged": _forged(lambda record: record["metrics"][KEY].update(value=60, low=50, high=70)),
    "interval forged": _forged(lambda record: record["metrics"][KEY].update(low=0.0, high=100.0)),
    "threshold forged": _forged(lambda record: record["threshold"]["values"].update({KEY: 0.987})),
    "optimism forged": _forged(lambda record: record["optimism"].update({KEY: 0.125})),
    "count forged": _forged(lambda record: record.update(n_images=15, n_expected=15)),
    "arrays forged": _fitting_arrays,
}
