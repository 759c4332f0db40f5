"""Run records as evaluation would write them, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from wsol.recipe import Recipe
from wsol.scores.records import RunRecord


def make_record(
    *,
    seed: int = 0,
    attention: str = "none",
    maps: str = "cam",
    metrics: dict[str, Any] | None = None,
    what: dict[str, Any] | None = None,
    **changes: Any,
) -> RunRecord:
    """A record of a resnet50 on 250 images; ``metrics`` may give plain numbers."""
    recipe = Recipe.from_dict(
        {
            "attention": {"name": attention},
            "weights": {"name": "torchvision"},
            "seed": seed,
            "tuning_trials": 3,
        }
    )
    if metrics is None:
        metrics = {"max_box_acc@0.5": {"value": 58.0, "low": 52.0, "high": 64.0}}
    figures = {
        key: value if isinstance(value, dict) else {"value": value, "low": None, "high": None}
        for key, value in metrics.items()
    }
    fields: dict[str, Any] = {
        "recipe": {"what": recipe.what() if what is None else deepcopy(what), "how": recipe.how_part()},
        "dataset": {"name": "birds", "title": "Birds, a few", "manifest_hash": "a1", "split": "test"},
        "protocol": {"name": "choe2020", "version": 1, "step": 0.001},
        "maps": maps,
        "threshold": {"policy": "oracle", "chosen_on": "test", "values": {}},
        "metrics": figures,
        "n_images": 250,
        "n_expected": 5794,
        "cost": {
            "params": 25_000_000,
            "gflops": 4.125,
            "images_per_second": 12.34,
            "map_size": [14, 14],
        },
        "seeds": {"training": seed},
    }
    return RunRecord(**{**fields, **changes})


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., Path]:
    """Write a record of `make_record` under ``results/runs``; gives its path."""

    def write(name: str, **arguments: Any) -> Path:
        return make_record(**arguments).write(tmp_path / "results" / "runs" / f"{name}.json")

    return write


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The results folder that ``store`` fills."""
    return tmp_path / "results"
