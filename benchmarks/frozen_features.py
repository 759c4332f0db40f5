"""How much faster a head trains on features of a frozen network that were computed once.

    python benchmarks/frozen_features.py [--backbone mobilenetv2_035] [--methods cam acol] [--rounds 5]

An epoch over images and an epoch over their kept features take turns in every round, and the median of
the ratio is told, so that a busy machine matters less. Images (clutter) and networks are drawn at
random. What computing the features took once, reading of the images included, stands beside.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

from wsol.data.layouts.clutter import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.recipe import BackboneSettings, DataSettings, How, MethodSettings, Recipe, TrainingSettings
from wsol.training.device import launch
from wsol.training.freezing import freeze
from wsol.training.kept_features import keep_features
from wsol.training.run_folder import RunFolder
from wsol.training.training_state import TrainingState


def main() -> None:
    """Print the figures of each method that was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backbone", default="mobilenetv2_035")
    parser.add_argument("--methods", nargs="+", default=["cam"])
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        manifest = drawn(Path(folder) / "manifest", arguments.images, arguments.side)
        print("backbone,method,images,once s,uncached s,cached s,times faster")
        for method in arguments.methods:
            recipe = recipe_of(arguments, manifest, method)
            figures = row(recipe, folder, arguments.rounds)
            print(",".join([arguments.backbone, method, str(arguments.images), *figures]))


def drawn(folder: Path, images: int, side: int) -> Manifest:
    """A clutter of so many training images."""
    options = LAYOUT.options()
    options.size, options.train, options.val, options.test = side, images, 10, 10
    prepare("clutter", None, folder, options=options)
    return Manifest.read(folder)


def recipe_of(arguments: argparse.Namespace, manifest: Manifest, method: str) -> Recipe:
    """The recipe of one row."""
    return Recipe(
        data=DataSettings(
            manifest=manifest.folder.as_posix(),
            input_size=arguments.side,
            resize_size=arguments.side,
            flip=False,
        ),
        backbone=BackboneSettings(arguments.backbone),
        method=MethodSettings(method),
        training=TrainingSettings(freeze="backbone", cache_features=True),
        how=How(device=arguments.device, workers=0),
    )


def row(recipe: Recipe, folder: str, rounds: int) -> list[str]:
    """Seconds of the features, of both kinds of epoch, and their ratio."""
    split = Manifest.read(recipe.data.manifest).split("train")
    fabric = launch(recipe.how.device, recipe.training.precision)
    torch.manual_seed(0)
    localizer = build_localizer(recipe, len(split.class_keys), split.class_keys)
    method = build_method(recipe, localizer)
    freeze(recipe, method)
    state = TrainingState(recipe, split, RunFolder(Path(folder) / "run"), fabric, method)
    started = time.perf_counter()
    kept = keep_features(recipe, split, Path(folder) / recipe.method.name, fabric, method)
    once = time.perf_counter() - started
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for number in range(rounds + 1):  # the first round warms up
        for cached in (False, True):
            state.kept = kept if cached else None
            taken = state.run_epoch(number).seconds
            if number:
                seconds[cached].append(taken)
    ratios = [slow / fast for slow, fast in zip(seconds[False], seconds[True], strict=True)]
    middle = [statistics.median(seconds[cached]) for cached in (False, True)]
    return [f"{once:.2f}", *(f"{value:.3f}" for value in middle), f"{statistics.median(ratios):.0f}"]


if __name__ == "__main__":
    main()
