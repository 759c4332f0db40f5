"""What was computed before, in a file that may be deleted at any time and is believed only whole."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from wsol.errors import UserError
from wsol.files.reading import read_regular
from wsol.files.writing.atomic import write_bytes

LARGEST = 2**28

# In the folder, so that git passes it by wherever it lies.
IGNORED = "# Made by wsol: safe to delete.\n*\n"


def recall(path: Path | str) -> dict[str, Any]:
    """What `remember` wrote; empty where there is nothing, or the file is damaged."""
    try:
        digest, _, content = read_regular(path, LARGEST).partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != digest:
            return {}
        found = json.loads(content)
    except (UserError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def remember(path: Path | str, content: dict[str, Any]) -> None:
    """Write ``content`` (JSON-able) whole or not at all; a folder that takes no files is no error."""
    path = Path(path)
    text = json.dumps(content, separators=(",", ":")).encode("utf-8")
    try:
        ignore = path.parent / ".gitignore"
        if not ignore.is_file():
            write_bytes(ignore, IGNORED.encode())
        write_bytes(path, hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
    except OSError:
        return  # it only would have been quicker the next time
