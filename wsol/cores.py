"""How many cores this process may use."""

from __future__ import annotations

import os

# Set for the processes that share a grid (`wsol benchmark --jobs`): each gets its part of the cores.
SHARE = "WSOL_CORES"


def cores() -> int:
    """The cores that the system gives this process, or its part of them where a grid is shared."""
    # Not every system tells how many of its cores are ours.
    ours = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    part = os.environ.get(SHARE, "")
    return max(1, min(ours, int(part))) if part.isdigit() else ours
