"""The good things that are attacked: a tiny data set, recipes, a grid of runs and its results."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.attack.command import Outcome, command
from benchmarks.attack.findings import TRACEBACK

PREPARE = ["prepare", "clutter", "--size", "32", "--train", "48", "--val", "16", "--test", "16"]
SEEDS = "0"
# CAM and a module without parameters; two maps of the first.
RECIPES = {"cam.yaml": ("none", "[cam, features]"), "simam.yaml": ("simam", "[cam]")}
RECIPE = """\
data: {{name: clutter, manifest: manifest, input_size: 32, resize_size: 32, flip: false}}
backbone: {{name: small_resnet}}
attention: {{name: {attention}}}
training: {{epochs: 3, batch_size: 16, optimizer: adamw, lr: 0.003, schedule: cosine}}
evaluation: {{maps: {maps}, masks: false, batch_size: 16}}
how: {{runs: runs, results: results, device: cpu, workers: 0}}
"""
BENCHMARK = ["benchmark", "--config", *RECIPES, "--seeds", SEEDS, "--overlays", "2"]


class Workbench:
    """``folder/good/work`` holds what undisturbed commands made; each case gets a folder of its own."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.place = folder / "good"
        self.good = self.place / "work"

    def make(self) -> None:
        """Prepare, write the recipes, train and score both, draw the report."""
        self.done([*PREPARE, "--output", "manifest"])
        for name, (attention, maps) in RECIPES.items():
            (self.good / name).write_text(RECIPE.format(attention=attention, maps=maps))
        self.done(BENCHMARK)
        self.done(["report", "--results", "results"])
        images = sorted((self.good / "manifest/images/test").glob("*.png"))[:4]
        (self.good / "images").mkdir()
        for image in images:
            shutil.copy(image, self.good / "images" / image.name)

    def done(self, argv: list[str], place: Path | None = None) -> Outcome:
        """Run a command that must succeed, here or in ``place``."""
        outcome = command(argv, place or self.place)
        if outcome.code or TRACEBACK in outcome.errors:
            raise RuntimeError(f"wsol {' '.join(argv)} fails undisturbed: {outcome.errors[-2000:]}")
        return outcome

    def run_of(self, recipe: str, runs: Path | None = None) -> str:
        """The run folder of a recipe, as seen from the folder that commands run in."""
        attention = RECIPES[recipe][0]
        folders = sorted((runs or self.good / "runs").glob(f"*-{attention}-cam-*"))
        return f"runs/{folders[0].name}"

    def case(self, name: str, copied: Sequence[str] = (), linked: Sequence[str] = ("manifest",)) -> Path:
        """A new place for a case: ``copied`` lie in its ``work``, and links to what is only read."""
        place = self.folder / "cases" / "".join(c if c.isalnum() else "-" for c in name)
        shutil.rmtree(place, ignore_errors=True)
        (place / "work").mkdir(parents=True)
        for item in copied:
            source, target = self.good / item, place / "work" / item
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True)
            else:
                shutil.copy2(source, target)
        for item in linked:
            (place / "work" / item).symlink_to(self.good / item)
        return place

    def draws(self, case: str) -> np.random.Generator:
        """The random numbers of a case: the same alone and among others."""
        return np.random.default_rng([self.seed, zlib.crc32(case.encode())])


def clear(place: Path) -> None:
    """Remove a case's place."""
    shutil.rmtree(place, ignore_errors=True)
