"""The demo: CAM, RFGA, TDAM and LTPA on drawn digits, alone and in company, in minutes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wsol.cores import cores
from wsol.files.writing.atomic import write_text
from wsol.pipeline.digits_recipes import digits_recipe, on_this_machine
from wsol.recipe import AttentionSettings, How, MethodSettings, Recipe

if TYPE_CHECKING:
    from wsol.board.rows.rows import Row
    from wsol.pipeline.benchmark import Grid

# One training a row serves every test of its training set. On `base` all four rows learn to classify at
# this budget (on `parts` LTPA does not), and `company` tells whose maps are of a class.
COMPANY = "company"
SMALL = {"train": 280, "val": 70, "images": 140}
QUERIED = {"images": 1000}  # of company, each of which is asked for two classes


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
    base, company = output / "manifest", output / COMPANY
    for folder, test, counts in ((base, "base", {}), (company, COMPANY, QUERIED)):
        if not folder.exists():
            options = LAYOUT.options(test=test, **(SMALL if small else counts))
            prepare("digits", None, folder, options=options)
    how = How(runs=(output / "runs").as_posix(), results=(output / "results").as_posix())
    recipes = [
        # The committed recipes leave the masks out, to keep records small; a demo shows all there is.
        on_this_machine(recipe).changed(
            evaluation={"masks": True}, training={"epochs": 2} if small else {}
        )
        for recipe in demo_recipes(base, how).values()
    ]
    return Grid(recipes, seeds=[0], overlays=8, also=lambda recipe: [company])


def write_lead(grid: Grid) -> Path:
    """What the report opens with: what the demo is, and what its figures say."""
    from wsol.board import read_board

    results = Path(grid.results[0])
    rows = {
        (section.title.split()[1], row.title): row
        for section in read_board(results).sections
        for row in section.rows
        if section.title.startswith("digits ")
    }
    paragraphs = [IMAGES]
    told = [rows.get((test, row)) for test in ("base", COMPANY) for row in (CAM, FEATURES, INTENSITY)]
    if all(row is not None for row in told):
        paragraphs.append(_told([row for row in told if row is not None]))
    return write_text(results / "lead.txt", "\n\n".join(paragraphs) + "\n")


CAM, FEATURES, INTENSITY = "CAM", "Feature mean", "Image intensity"
TRAINED = 95.0
IMAGES = (
    "A handwritten digit from 0 to 6 gives each image its class; 7, 8 and 9 stand beside it and are of "
    "no class. The networks saw labels alone."
)
HARDLY = (
    "At this small setting the networks are hardly trained: everything runs, the figures say nothing."
)


def _told(rows: Sequence[Row]) -> str:
    """The figures of CAM, the feature mean and the intensity, without and with company, in words."""
    top1 = rows[0].estimates["top1_acc"].value
    if top1 is None or top1 < TRAINED:
        return HARDLY
    cam, features, intensity, cam_there, features_there, intensity_there = (
        f"{row.estimates['max_box_acc@0.5'].value:.0f}" for row in rows
    )
    return (
        f"Where no other class is in the image the class map of CAM frames {cam} of 100 digits "
        f"(MaxBoxAcc .5), the mean of its features {features}, the brightest spot {intensity}. Beside a "
        f"digit of another class CAM, asked for each of the two, frames {cam_there}, the mean of its "
        f"features {features_there}, the brightest spot {intensity_there}: what knows no class cannot "
        "say whose map it is, and a benchmark of one object an image does not notice."
    )


def _recipe(name: str, manifest: Path | str, how: How) -> Recipe:
    recipe = digits_recipe(AttentionSettings(name=name), MethodSettings(), manifest, how)
    # Beside CAM the map that knows no class; what modules show besides their class maps, a board tells.
    more = ["features"] if name == "none" else []
    return recipe.changed(evaluation={"maps": [*recipe.evaluation.maps, *more]})
