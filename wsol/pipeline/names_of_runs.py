"""What people call several runs in one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wsol.pipeline.evaluate_run import row_name
from wsol.pipeline.model import Model


def names_of_runs(models: Sequence[Model]) -> list[str]:
    """Their rows' names; those of their folders where two would be called alike."""
    short = [row_name(model.recipe) for model in models]
    if len(set(short)) == len(short):
        return short
    return [Path(model.name).name for model in models]
