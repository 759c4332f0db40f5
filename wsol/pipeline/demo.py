"""The demo: CAM, RFGA, TDAM and LTPA where half of an object decides its class, in minutes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from wsol.cores import cores
from wsol.files.writing.atomic import write_text
from wsol.pipeline.digits_recipes import digits_recipe
from wsol.recipe import AttentionSettings, How, MethodSettings, Recipe

if TYPE_CHECKING:
    from wsol.pipeline.benchmark import Grid

# Of the seven tests on digits the one of the field's central complaint: only the part that tells the
# class is lit. Trained and scored at one setting, it takes one training a row.
TEST = "parts"
SMALL = {"train": 280, "val": 70, "images": 140}


def demo_recipes(manifest: Path | str = "", how: How | None = None) -> dict[str, Recipe]:
    """CAM, RFGA, TDAM and LTPA on one network at one budget."""
    return {
        row: _recipe(name, manifest, how or How())
        for row, name in (("cam", "none"), ("rfga", "rfga"), ("tdam", "tdam"), ("ltpa", "ltpa"))
    }


def demo(output: Path | str = "demo", *, small: bool = False) -> Path:
    """Train and score the demo's rows under ``output``; returns the report's path.

    ``small`` takes few images and two epochs: whether everything runs, not how well.
    """
    from wsol.pipeline.leaderboard import write_board

    grid = demo_grid(output, small=small)
    grid.run(demo_jobs(grid))
    write_lead(grid)
    return write_board(grid.results[0])


def demo_jobs(grid: Grid) -> int:
    """A row a core, as a row trains by one thread."""
    return max(1, min(cores(), len(grid.rows)))


def demo_grid(output: Path | str = "demo", *, small: bool = False) -> Grid:
    """The demo's rows under ``output``, not run yet; its data set is made where it is missing."""
    from wsol.data.layouts.digits import LAYOUT
    from wsol.data.prepare import prepare
    from wsol.pipeline.benchmark import Grid

    output = Path(output)
    manifest = output / "manifest"
    if not manifest.exists():
        options = LAYOUT.options(test=TEST, **(SMALL if small else {}))
        prepare("digits", None, manifest, options=options)
    how = How(runs=(output / "runs").as_posix(), results=(output / "results").as_posix())
    recipes = [
        # The committed recipes leave the masks out, to keep records small; a demo shows all there is.
        recipe.changed(evaluation={"masks": True}, training={"epochs": 2} if small else {})
        for recipe in demo_recipes(manifest, how).values()
    ]
    return Grid(recipes, seeds=[0], overlays=8)


def write_lead(grid: Grid) -> Path | None:
    """What the report opens with: what the demo is, and what CAM's figures say; None without them."""
    from wsol.board import read_board

    results = Path(grid.results[0])
    cam = next((row for row in read_board(results).rows if row.title == "CAM"), None)
    if cam is None:
        return None
    figures = {
        iou: cam.estimates[f"max_box_acc@0.{iou}"].value
        for iou in (3, 5, 7)
        if cam.estimates.get(f"max_box_acc@0.{iou}")
    }
    reached = ", ".join(f".{iou} on {value:.0f} %" for iou, value in figures.items())
    return write_text(results / "lead.txt", f"{LEAD} CAM's box reaches an IoU of {reached} of them.\n")


LEAD = (
    "Each object here is two joined digits: one tells its class, the other, a 7, does not. Two pairs of "
    "no class stand beside it. What papers on the subject complain of can be seen: the map lights what "
    "tells the class, not the object."
)


def _recipe(name: str, manifest: Path | str, how: How) -> Recipe:
    recipe = digits_recipe(AttentionSettings(name=name), MethodSettings(), manifest, how)
    own = recipe.evaluation.maps[0]
    more = {"none": "features", "ltpa": "cam"}.get(name, "attention")
    maps = list(dict.fromkeys([own, more]))
    return dataclasses.replace(recipe, evaluation=dataclasses.replace(recipe.evaluation, maps=maps))
