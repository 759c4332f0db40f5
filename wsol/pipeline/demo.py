"""The demo: every kind of row on the embedded data set, from nothing to the report, in minutes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from wsol.cores import cores
from wsol.recipe import (
    AttentionSettings,
    BackboneSettings,
    DataSettings,
    EvaluationSettings,
    How,
    Recipe,
    TrainingSettings,
)

if TYPE_CHECKING:
    from wsol.pipeline.benchmark import Grid

# configs/clutter holds the same recipes as YAML; a test keeps them equal.
TRAINING = TrainingSettings(
    epochs=15,
    batch_size=32,
    optimizer="adamw",
    lr=0.003,
    weight_decay=0.05,
    schedule="cosine",
    precision="bf16-mixed",
    channels_last=True,
)


def demo_recipes() -> dict[str, Recipe]:
    """CAM, RFGA, TDAM and LTPA on one network and, but for LTPA's slower head, one budget."""
    return {
        "cam": _recipe("none", ["cam", "features"]),
        "rfga": _recipe("rfga", ["cam", "attention"]),
        "tdam": _recipe("tdam", ["cam", "attention"]),
        "ltpa": _recipe("ltpa", ["attention", "cam"], epochs=22),
    }


def demo(output: Path | str = "demo", *, small: bool = False) -> Path:
    """Train and score the demo's rows under ``output``; returns the report's path.

    ``small`` takes a fifth of the images and two epochs: whether everything runs, not how well.
    """
    from wsol.pipeline.leaderboard import write_board

    grid = demo_grid(output, small=small)
    grid.run(demo_jobs(grid))
    return write_board(grid.results[0])


def demo_jobs(grid: Grid) -> int:
    """A row a core, as a row trains by one thread."""
    return max(1, min(cores(), len(grid.rows)))


def demo_grid(output: Path | str = "demo", *, small: bool = False) -> Grid:
    """The demo's rows under ``output``, not run yet; its data set is made where it is missing."""
    from wsol.data.layouts.clutter import LAYOUT
    from wsol.data.prepare import prepare
    from wsol.pipeline.benchmark import Grid

    output = Path(output)
    manifest = output / "manifest"
    if not manifest.exists():
        options = LAYOUT.options()
        if small:
            options.train, options.val, options.test = 300, 100, 100
        prepare("clutter", None, manifest, options=options)
    recipes = []
    for recipe in demo_recipes().values():
        data = dataclasses.replace(recipe.data, manifest=manifest.as_posix())
        training = dataclasses.replace(recipe.training, epochs=2) if small else recipe.training
        how = How(runs=(output / "runs").as_posix(), results=(output / "results").as_posix())
        # The committed recipes leave the masks out, to keep records small; a demo shows all there is.
        evaluation = dataclasses.replace(recipe.evaluation, masks=True)
        recipes.append(
            dataclasses.replace(recipe, data=data, training=training, evaluation=evaluation, how=how)
        )
    return Grid(recipes, seeds=[0], overlays=8)


def _recipe(attention: str, maps: list[str], epochs: int = TRAINING.epochs) -> Recipe:
    return Recipe(
        # A mirrored digit is another sign: no flips.
        data=DataSettings(name="clutter", input_size=64, resize_size=64, flip=False),
        backbone=BackboneSettings(name="small_resnet"),
        attention=AttentionSettings(name=attention),
        training=dataclasses.replace(TRAINING, epochs=epochs),
        evaluation=EvaluationSettings(maps=maps, masks=False),
    )
