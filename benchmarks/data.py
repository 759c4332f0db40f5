"""Images per second of the loaders against plain PIL + torchvision + DataLoader: same files, one run.

    python benchmarks/data.py                              photographs made of scikit-image's own
    python benchmarks/data.py --manifest manifests/cub     a data set of yours
    python benchmarks/data.py --workers 0 2 8 --images 4000
    python benchmarks/data.py --width 2000 --images 200    photographs as cameras make them

``plain`` opens a file with PIL, squashes, crops, flips and normalises with torchvision, as the
reference's loader does. ``wsol`` is `train_loader` and `eval_loader`; ``reduced`` the same with
``data.reduced_decode``, which changes pixels slightly where images are large; ``kept`` a later epoch of
a split that fits in memory. Each row reads all images once; the best of ``--repeats`` counts. Without
workers it is CPU time, which a busy machine leaves as it is; with workers the wall clock's.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import skimage.data
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from wsol.data.layouts.custom import custom_manifest
from wsol.data.loading import decoded
from wsol.data.loading.loader import eval_loader, train_loader
from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.recipe import Recipe

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WIDTH = 500  # with a height of 375 the commonest size of ILSVRC's images
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


class PlainImages(Dataset):
    """The plain way: PIL, then torchvision's transforms."""

    def __init__(self, split: ManifestSplit, transform: Callable[[Image.Image], torch.Tensor]) -> None:
        self.paths, self.labels, self.transform = split.paths, split.labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.paths[index]) as image:
            return self.transform(image.convert("RGB")), self.labels[index]


def plain_loader(split: ManifestSplit, batch_size: int, workers: int, *, train: bool) -> DataLoader:
    """What the reference does with an image, by torchvision."""
    resized = (
        [transforms.Resize((256, 256)), transforms.RandomCrop(224), transforms.RandomHorizontalFlip()]
        if train
        else [transforms.Resize((224, 224))]
    )
    steps = [*resized, transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    images = PlainImages(split, transforms.Compose(steps))
    return DataLoader(images, batch_size, shuffle=train, num_workers=workers)


def make_photographs(folder: Path, count: int, across: int) -> Manifest:
    """JPEGs ``across`` pixels wide, 4 to 3, cut from scikit-image's photographs, in four classes."""
    draw = np.random.default_rng(0)
    size = across, across * 3 // 4
    for number in range(count):
        name = PHOTOGRAPHS[number % len(PHOTOGRAPHS)]
        photograph = Image.fromarray(getattr(skimage.data, name)())
        width = int(draw.integers(photograph.width // 2, photograph.width + 1))
        height = min(photograph.height, width * 3 // 4)
        left = int(draw.integers(photograph.width - width + 1))
        top = int(draw.integers(photograph.height - height + 1))
        cut = photograph.crop((left, top, left + width, top + height)).resize(size)
        path = folder / "images" / "train" / name / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cut.save(path, quality=90)
    return custom_manifest(folder / "images", [], folder / "manifest")


def rates(
    ways: list[Callable[[], Iterable]], images: int, repeats: int, clock: Callable[[], float]
) -> list[float]:
    """Images per second of each way's fastest pass of ``repeats``, each over a loader made anew.

    The ways take turns, so that what else the machine does falls on all of them.
    """
    best = [float("inf")] * len(ways)
    for _ in range(repeats):
        for number, way in enumerate(ways):
            started = clock()
            for _ in way():
                pass
            best[number] = min(best[number], clock() - started)
    return [images / seconds for seconds in best]


def compare(split: ManifestSplit, workers: int, repeats: int) -> list[tuple[str, list[float]]]:
    """Rows of plain, wsol, wsol reduced and, for train, wsol kept in images per second."""
    whole = Recipe()
    whole = dataclasses.replace(
        whole,
        weights=dataclasses.replace(whole.weights, mean=MEAN, std=STD),
        how=dataclasses.replace(whole.how, workers=workers, device="cpu"),
    )
    reduced = dataclasses.replace(whole, data=dataclasses.replace(whole.data, reduced_decode=True))
    size, count = whole.training.batch_size, len(split)

    def fresh(recipe: Recipe) -> Iterable:
        limit, decoded.MEMORY_LIMIT = decoded.MEMORY_LIMIT, 0
        try:
            return train_loader(split, recipe, epoch=0)
        finally:
            decoded.MEMORY_LIMIT = limit

    def kept() -> Iterable:
        return train_loader(split, whole, epoch=0)

    kept()  # decodes
    train = [
        lambda: plain_loader(split, size, workers, train=True),
        lambda: fresh(whole),
        lambda: fresh(reduced),
        kept,
    ]
    test = [
        lambda: plain_loader(split, size, workers, train=False),
        lambda: eval_loader(split, whole),
        lambda: eval_loader(split, reduced),
    ]
    clock = time.perf_counter if workers else time.process_time
    return [
        (name, rates(ways, count, repeats, clock)) for name, ways in (("train", train), ("eval", test))
    ]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--manifest", type=Path, help="whose train split to read; default: made for this"
    )
    parser.add_argument("--images", type=int, default=1000, help="images to make")
    parser.add_argument("--width", type=int, default=WIDTH, help="of those images, in pixels")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = Table(title="images per second")
    for column in ("split", "workers", "plain", "wsol", "ratio", "reduced", "ratio", "kept"):
        table.add_column(column, justify="left" if column == "split" else "right")
    with tempfile.TemporaryDirectory() as folder:
        if arguments.manifest:
            manifest = Manifest.read(arguments.manifest)
        else:
            manifest = make_photographs(Path(folder), arguments.images, arguments.width)
        split = manifest.split("train")
        for workers in arguments.workers:
            for name, (plain, whole, reduced, *kept) in compare(split, workers, arguments.repeats):
                cells = [f"{plain:.0f}", f"{whole:.0f}", f"{whole / plain:.2f}"]
                cells += [f"{reduced:.0f}", f"{reduced / plain:.2f}"]
                table.add_row(name, str(workers), *cells, *(f"{value:.0f}" for value in kept))
    Console().print(table)


if __name__ == "__main__":
    main()
