"""Where the golden files and the real images lie, and skips with a clear reason where they do not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

# A shell starts what runs in its background with interrupts ignored, and so would be the commands that
# tests interrupt: they would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = Path(__file__).resolve().parent
SHARED = HERE.parent.parent / "shared"


@pytest.fixture(scope="session")
def golden() -> Path:
    """Folder of the reference implementations' outputs; the copy in tests/golden where there is none."""
    folder = Path(os.environ.get("WSOL_GOLDEN", SHARED / "golden"))
    return folder if folder.is_dir() else HERE / "golden"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real images in their official layouts."""
    folder = Path(os.environ.get("WSOL_DATA", SHARED / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real images at {folder}: set WSOL_DATA to a folder that has them")
    return folder


@pytest.fixture
def golden_file(golden: Path):
    """Gives the path of a golden file by name; skips where this set lacks it."""

    def find(name: str) -> Path:
        path = golden / name
        if not path.is_file():
            pytest.skip(f"no golden file {name} in {golden}: set WSOL_GOLDEN")
        return path

    return find
