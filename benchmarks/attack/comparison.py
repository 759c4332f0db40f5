"""A folder's content apart from times, so that two ways to the same result can be compared."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

# What says when, from which checkout and how fast, and the digest that covers it.
TIMES = {
    "started", "finished", "seconds", "images_per_second", "ms_per_image", "train_images_per_second",
    "digest", "git_commit",
}  # fmt: skip
# Safe to delete, and made of stamps: what was read before is kept there.
CACHES = (".cache",)


def contents(folder: Path) -> dict[str, str]:
    """Path below ``folder`` -> hash of its content without times; folders are in it too."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if any(part in CACHES for part in path.relative_to(folder).parts):
            continue
        if path.is_symlink():
            found[name] = "link"
        elif path.is_dir():
            found[name] = "folder"
        elif path.is_file():
            found[name] = hashlib.sha256(_timeless(path)).hexdigest()
        else:
            found[name] = "special"
    return found


def differences(expected: dict[str, str], found: dict[str, str]) -> tuple[list[str], list[str]]:
    """Files that are missing or other than expected, and files that nobody expects."""
    wrong = [name for name, content in expected.items() if found.get(name) != content]
    return wrong, [name for name in found if name not in expected]


def left_in_temporary(place: Path) -> list[str]:
    """What is left in ``place/tmp``, the system's folder for temporary files.

    Sockets of Python's own ``multiprocessing`` are not counted: a killed process cannot remove them,
    and no other knows whose they are.
    """
    found = contents(place / "tmp")
    return [f"TMPDIR/{name}" for name in found if not name.startswith("pymp-")]


def _timeless(path: Path) -> bytes:
    content = path.read_bytes()
    try:
        if path.suffix == ".json":
            return json.dumps(_without_times(json.loads(content)), sort_keys=True).encode()
        if path.suffix == ".csv":
            return _csv_without_times(content.decode())
    except (ValueError, RecursionError):
        return content  # damaged: as it is
    return content


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in TIMES}
    if isinstance(value, list):
        return [_without_times(item) for item in value]
    return value


def _csv_without_times(text: str) -> bytes:
    rows = list(csv.reader(io.StringIO(text)))
    kept = [column for column, name in enumerate(rows[0] if rows else []) if name not in TIMES]
    lines = [[row[column] for column in kept if column < len(row)] for row in rows]
    return json.dumps(lines).encode()
