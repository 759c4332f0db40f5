"""The verbs of the library: train, evaluate, localize, benchmark, leaderboard, demo.

>>> from wsol import benchmark
>>> run = benchmark.train(recipe)                # doctest: +SKIP
>>> benchmark.score_run(run, results="results")  # doctest: +SKIP
>>> benchmark.write_board("results")             # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import Any

# Imported when asked for: scoring maps from files needs no torch.
_VERBS = {
    "train": "training",
    "score_run": "scoring",
    "score_images": "own_images",
    "score_maps": "files",
    "score_baselines": "baseline",
    "localize": "localizing",
    "benchmark": "suite",
    "write_board": "board",
    "demo": "demo",
}


def __getattr__(name: str) -> Any:
    if name not in _VERBS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_VERBS[name]}"), name)
