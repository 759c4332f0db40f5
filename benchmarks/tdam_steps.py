"""Whether TDAM's feedback moves the box to another object: its class map after one step and after two.

    python benchmarks/tdam_steps.py --runs RUN [RUN ...] --manifests MANIFEST [MANIFEST ...] > FILE

RUN are folders of TDAM networks of one recipe that differ in their seed, MANIFEST of digits `several` or
`company`. The lines that begin with # say what the table says.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch

import wsol
from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.queries import scored_split
from wsol.maps.reading import MapReader
from wsol.pipeline.model import Model
from wsol.pipeline.outputs.steps import moved, object_of

ONE, TWO = "cam@t=1", "cam"
KEY = "max_box_acc@0.5"
TOLD = """`python benchmarks/tdam_steps.py` on the three networks: of how many of 100 maps the box lies,
after the second step, on the *same* object as after the first, on *another* one, on one after none
(*found*), on none after one (*lost*), on *none* both times. After one step (`cam@t=1`) nothing has been
fed back. Each step's box is cut at that step's best threshold on these images (*first* and *second* are
its MaxBoxAcc .5) and lies on the object that it overlaps most, on none under an IoU of .3. Of `company`
the objects are all that have a class. Lines from *seeds* compare two networks that know nothing of each
other.
"""
COLUMNS = (
    "images",
    "seed",
    "from",
    "to",
    "n",
    "first",
    "second",
    "same",
    "another",
    "found",
    "lost",
    "none",
)


@dataclasses.dataclass(frozen=True)
class Boxes:
    """Of one network after one number of steps: MaxBoxAcc .5, and the object (n,) of each box, or -1."""

    accuracy: float
    on: np.ndarray


def main() -> None:
    """Print a line for each seed and manifest, then one for each two seeds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", nargs="+", required=True)
    parser.add_argument("--manifests", nargs="+", required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    models = [Model.open(run) for run in arguments.runs]
    print("".join(f"# {line}\n" for line in TOLD.splitlines()) + ",".join(COLUMNS))
    for folder in arguments.manifests:
        manifest = Manifest.read(folder)
        found = [{step: boxes_of(model, manifest, step) for step in (ONE, TWO)} for model in models]
        seeds = [model.recipe.seed for model in models]
        for seed, by_step in zip(seeds, found, strict=True):
            tell(manifest, str(seed), ("t=1", "t=2"), by_step[ONE], by_step[TWO])
        for (first, mine), (second, other) in pairwise(zip(seeds, found, strict=True)):
            tell(manifest, f"{first} and {second}", ("seeds", "t=2"), mine[TWO], other[TWO])


def boxes_of(model: Model, manifest: Manifest, step: str) -> Boxes:
    """The boxes of one network, each cut at the best threshold."""
    settings = dataclasses.replace(model.recipe.evaluation, maps=[step])
    (evaluation,) = wsol.evaluate(model, settings, manifest=manifest).values()
    threshold, value = evaluation.threshold["values"][KEY], evaluation.metrics[KEY]["value"]
    split = scored_split(manifest, settings.split)
    annotations, images = split.annotations(), manifest.split(settings.split).annotations()
    reader = MapReader(model.localizer, split.class_keys)
    on = []
    for prediction in reader.predictions(eval_loader(split, model.recipe), step):
        annotation = annotations[prediction.image_id]
        objects = images[annotation.group or annotation.image_id].boxes
        assert prediction.score_map is not None
        box = wsol.box(prediction.score_map, threshold, annotation.size)
        on.append(object_of(box, objects))
    return Boxes(float(value or 0.0), np.array(on))


def tell(manifest: Manifest, seed: str, steps: Sequence[str], first: Boxes, second: Boxes) -> None:
    """One line of the table."""
    images = " ".join(map(str, [manifest.drawn["test"], *manifest.drawn["options"].values()]))
    cells = [f"{value:.1f}" for value in (first.accuracy, second.accuracy)]
    cells += [f"{share:.1f}" for share in moved(first.on, second.on).values()]
    print(",".join([images, seed, *steps, str(len(first.on)), *cells]), flush=True)


if __name__ == "__main__":
    main()
