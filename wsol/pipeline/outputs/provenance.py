"""Where a figure comes from: versions, the commit, the time."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

# The packages whose version can move a number.
PACKAGES = (
    "wsol",
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "opencv-python",
    "pillow",
    "scikit-image",
    "numba",
)


def versions() -> dict[str, str]:
    """Versions of Python and of every package that can move a number; imports none of them."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """Commit of the checkout that wsol runs from, ``+changes`` where it was edited; None elsewhere."""
    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / ".git").exists():
        return None
    commit = _git(checkout, "rev-parse", "HEAD")
    # Only the code that ran: a record or a README that is being written changes no number.
    changed = _git(
        checkout, "status", "--porcelain", "--", "wsol", "pyproject.toml", "requirements.lock"
    )
    return commit + ("+changes" if changed else "") if commit else None


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _git(checkout: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
