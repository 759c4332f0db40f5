"""What a map without an opinion gets in deletion and insertion, by how its ties are broken.

    python benchmarks/faithfulness_ties.py --run RUN [--manifest MANIFEST] [--images-per-class N] > FILE

A constant map of a trained network, ranked by the raster, by chance pixel by pixel, and by the smooth
chance that `wsol.maps.faithfulness.ranking` takes; beside it the network's own class map. The lines that
begin with # say what the table says.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import torch

from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import Manifest
from wsol.maps.classes import class_columns
from wsol.maps.faithfulness import areas as areas_module
from wsol.maps.faithfulness.areas import KINDS, AskedNetwork, Faithfulness
from wsol.maps.faithfulness.ranking import chance, ranks
from wsol.pipeline.images_of_run import own_manifest
from wsol.pipeline.model import Model

TOLD = """`python benchmarks/faithfulness_ties.py`: deletion and insertion, in percent, of a map that
says nothing, by what breaks its ties, and of the network's class map. Deletion: low is good.
"""


def by_raster(score_map: np.ndarray, image_id: str, size: tuple[int, int], _: str) -> np.ndarray:
    """From the top of the image to its bottom."""
    return np.arange(size[0] * size[1], dtype=np.int32).reshape(size)


def by_pixels(score_map: np.ndarray, image_id: str, size: tuple[int, int], _: str) -> np.ndarray:
    """Every pixel by chance."""
    seed = int(1e9 * chance(image_id, (1, 1))[0, 0]) % 2**32
    drawn = np.random.default_rng(seed).permutation(size[0] * size[1])
    return drawn.astype(np.int32).reshape(size)


def main() -> None:
    """Print a line for each way to break ties, and one for the class map."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--run", required=True)
    parser.add_argument("--manifest")
    parser.add_argument("--images-per-class", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = Model.open(arguments.run)
    manifest = Manifest.read(arguments.manifest) if arguments.manifest else own_manifest(model)
    print("".join(f"# {line}\n" for line in TOLD.splitlines()) + ",".join(("order", "n", *KINDS)))
    ways: dict[str, Callable[..., np.ndarray]] = {
        "raster": by_raster,
        "pixels": by_pixels,
        "smooth": ranks,
        "cam": ranks,
    }
    for name, way in ways.items():
        areas_module.ranks = way  # what is compared is in no setting of the suite
        found = measured(model, manifest, arguments.images_per_class, constant=name != "cam")
        figures = [f"{100 * np.mean([one[kind] for one in found]):.2f}" for kind in KINDS]
        print(",".join((name, str(len(found)), *figures)), flush=True)


def measured(
    model: Model, manifest: Manifest, per_class: int, *, constant: bool
) -> list[dict[str, float]]:
    """The areas of every test image's constant map, or of its class map."""
    split = manifest.split(model.recipe.evaluation.split).first_per_class(per_class)
    localizer = model.localizer
    columns = class_columns(localizer.class_keys, split.class_keys, model.recipe.evaluation.classes)
    asked = AskedNetwork(localizer, columns, Faithfulness())
    found: list[dict[str, float]] = []
    for batch in eval_loader(split, model.recipe):
        labels = batch.labels.tolist()
        maps = np.zeros((len(labels), 7, 7), np.float32)
        if not constant:
            with torch.no_grad():
                class_maps = localizer(batch.images).class_maps
            assert class_maps is not None
            own = zip(class_maps, labels, strict=True)
            maps = torch.stack([one[columns[label]].mean(dim=0) for one, label in own]).numpy()
        (of_source,) = asked.areas(batch.images, labels, batch.image_ids, [maps])
        found += of_source[: batch.real]
    return found


if __name__ == "__main__":
    main()
