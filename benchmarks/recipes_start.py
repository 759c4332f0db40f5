"""Whether every committed recipe trains and reaches its first evaluation, on a small data set.

    python benchmarks/recipes_start.py --manifest manifests/small [--configs FILES] [--csv FILE]

Each recipe is taken as it is but for these: the images are those of ``--manifest`` (a few dozen of any
data set do), the weights are drawn, so that nothing is downloaded, one epoch, and batches of four. What
is told: the loss of that epoch, MaxBoxAcc at .5 of the recipe's first map source (which says nothing
after so little), seconds. A recipe that fails is told with its error, and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import wsol
from wsol.errors import UserError
from wsol.files.csv_table import csv_text, table_rows
from wsol.files.writing.atomic import write_text
from wsol.recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]
TABLE = [ROOT / "configs" / name for name in ("cub", "imagenet", "openimages")]
COLUMNS = ("recipe", "loss", "max_box_acc@0.5", "seconds", "error")


def main() -> None:
    """Start all recipes one after the other; print a line each as it is known."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    everything = sorted(path for folder in TABLE for path in folder.glob("*.yaml"))
    parser.add_argument("--configs", type=Path, nargs="+", default=everything)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    lines = []
    print(",".join(COLUMNS))
    for path in asked.configs:
        lines.append(started(path, asked.manifest))
        print(",".join(lines[-1]), flush=True)
    if asked.csv:
        head = f"# python benchmarks/recipes_start.py --manifest MANIFEST --csv {asked.csv.as_posix()}\n"
        write_text(asked.csv, head + csv_text(COLUMNS, lines))
    sys.exit(any(line[-1] for line in lines))


def started(path: Path, manifest: Path) -> list[str]:
    """The line of one recipe."""
    name = f"{path.parent.name}/{path.stem}"
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="wsol-start-") as folder:
        recipe = small(Recipe.from_yaml(path), manifest, folder)
        try:
            run = wsol.train(recipe)
            found = wsol.evaluate(run, recipe.evaluation)
        except UserError as error:
            return [name, "", "", "", " ".join(str(error).split()).replace(",", ";")]
        loss = loss_of(run / "log.csv")
    (first, *_) = found.values()
    value = first.metrics["max_box_acc@0.5"]["value"]
    return [name, f"{loss:.3f}", f"{value:.1f}", f"{time.perf_counter() - begun:.1f}", ""]


def small(recipe: Recipe, manifest: Path, folder: str) -> Recipe:
    """The recipe on a few images, from drawn weights, for one epoch."""
    weights = {"name": "none", "file": "", "sha256": "", "tag": ""}
    own = [maps for maps in recipe.evaluation.maps if not maps.startswith("torchcam")]
    return recipe.changed(
        data={"manifest": str(manifest)},
        weights=weights,
        training={"epochs": 1, "batch_size": 4, "milestones": [], "schedule": "cosine"},
        evaluation={"maps": own[:1], "batch_size": 3, "split": "test"},
        how={"runs": folder, "results": folder, "workers": 0},
    )


def loss_of(log: Path) -> float:
    """The loss of the last epoch."""
    (_, header), *rows = table_rows(log.read_text("utf-8").splitlines())
    return float(rows[-1][1][header.index("loss")])


if __name__ == "__main__":
    main()
