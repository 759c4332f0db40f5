"""A split of a manifest as batches, bit for bit the same for any number of workers.

The random numbers of an image depend only on the seed, the epoch and the image. A run that was
interrupted, or that has another number of workers, therefore sees the same pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from wsol.data.loading.decoded import DecodedImages
from wsol.data.loading.transforms import Normalise, RandomCropFlip, squash_boxes
from wsol.data.manifest.manifest import ManifestSplit
from wsol.data.manifest.queries import QuerySplit
from wsol.errors import UserError
from wsol.recipe import Recipe
from wsol.scores.samples import Sample


class Batch(NamedTuple):
    """Images (N, 3, H, W) float, labels (N,) int64, N ids and places in the split.

    The first ``real`` are images, the rest is padding. ``boxes`` (n, 4) of each, in its pixels, are
    there where they are trained on.
    """

    images: Tensor
    labels: Tensor
    image_ids: list[str]
    indices: Tensor
    real: int
    boxes: list[Tensor] | None = None


class SplitImages(Dataset):
    """The images of a split as `Sample`.

    An unreadable file comes out as the ``UserError`` itself: raised in a worker it would reach the
    user with that worker's traceback.

    Args:
        split: whose ids and labels the images have.
        images: its images, squashed.
        normalise: makes a tensor of the pixels.
        augment: crops and flips them before; None in evaluation.
        seed_epoch: with the image's index what ``augment`` draws by.
        boxes: of each image (n, 4) as they lie in its squashed pixels; None where none are wanted.
    """

    def __init__(
        self,
        split: ManifestSplit,
        images: DecodedImages,
        normalise: Normalise,
        augment: RandomCropFlip | None = None,
        seed_epoch: tuple[int, int] = (0, 0),
        boxes: list[np.ndarray] | None = None,
    ) -> None:
        self.boxes = boxes
        self.ids, self.labels = split.image_ids, split.labels
        self.images, self.normalise = images, normalise
        self.augment, self.seed_epoch = augment, seed_epoch

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Sample | UserError:
        try:
            pixels = self.images[index]
        except UserError as error:
            return error
        boxes = None if self.boxes is None else self.boxes[index]
        if self.augment is not None:
            pixels, boxes = self.augment(pixels, generator_of(*self.seed_epoch, index), boxes)
        shown = None if boxes is None else torch.from_numpy(boxes)
        return Sample(self.normalise(pixels), int(self.labels[index]), self.ids[index], index, shown)


class Loader:
    """Batches of a fixed list of index lists; iterate it once an epoch."""

    def __init__(
        self, images: SplitImages, batches: list[tuple[list[int], int]], recipe: Recipe
    ) -> None:
        self._batches = batches
        # Images that are decoded already only have to be cropped: workers would take longer than that.
        workers = recipe.how.workers if images.images.pixels is None else 0
        self._loader = DataLoader(
            images,
            batch_sampler=[indices for indices, _ in batches],
            num_workers=min(workers, len(batches)),
            collate_fn=_collate,
            pin_memory=recipe.how.device != "cpu" and torch.cuda.is_available(),
        )

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        for batch, (_, real) in zip(self._loader, self._batches, strict=True):
            if isinstance(batch, UserError):
                raise batch
            yield batch._replace(real=real)


def train_loader(
    split: ManifestSplit,
    recipe: Recipe,
    *,
    epoch: int,
    rank: int = 0,
    world_size: int = 1,
    boxes: bool = False,
) -> Loader:
    """The training batches of one epoch for one rank, in this epoch's order, with ``boxes`` if asked.

    ``training.batch_size`` is the size of one rank's batches. All ranks get equally many images; those
    left over are not used in this epoch, and neither is a last batch of a single image, which batch
    normalisation cannot use.
    """
    data, weights = recipe.data, recipe.weights
    split = trained_images(split, recipe)
    images = SplitImages(
        split,
        DecodedImages(split, data.resize_size, keep=True, reduced=data.reduced_decode),
        Normalise(weights.mean, weights.std),
        RandomCropFlip(data.input_size, data.resize_size, data.flip),
        seed_epoch=(recipe.seed, epoch),
        boxes=squashed_boxes(split, data.resize_size) if boxes else None,
    )
    batches = epoch_batches(len(split), recipe, epoch=epoch, rank=rank, world_size=world_size)
    return Loader(images, [(batch, len(batch)) for batch in batches], recipe)


def squashed_boxes(split: ManifestSplit, side: int) -> list[np.ndarray]:
    """The true boxes of each image (n, 4) in its squashed copy."""
    found = split.annotations().values()
    return [squash_boxes(one.boxes, one.size, side) for one in found]


def trained_images(split: ManifestSplit, recipe: Recipe) -> ManifestSplit:
    """The images of ``split`` that ``recipe`` trains on; ``UserError`` where they have no labels."""
    if isinstance(split, QuerySplit):
        raise UserError(
            f"{split.manifest.folder}: the queries of split {split.name!r} cannot be trained on: "
            "train on images"
        )
    split = split.first_per_class(recipe.training.images_per_class)
    if (split.labels < 0).any():
        image_id = split.image_ids[int(np.flatnonzero(split.labels < 0)[0])]
        raise UserError(f"{split.manifest.folder}: {image_id} has no label: it cannot be trained on")
    return split


def epoch_batches(
    count: int, recipe: Recipe, *, epoch: int, rank: int = 0, world_size: int = 1
) -> list[list[int]]:
    """Places of ``count`` images in the batches of one epoch for one rank; see `train_loader`."""
    order = torch.randperm(count, generator=generator_of(recipe.seed, epoch, -1)).tolist()
    share = order[rank : len(order) // world_size * world_size : world_size]
    batches = list(_chunks(share, recipe.training.batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches.pop()
    return batches


def eval_loader(split: ManifestSplit, recipe: Recipe, *, rank: int = 0, world_size: int = 1) -> Loader:
    """The split's images in order, every ``world_size``-th from ``rank`` on: each on one rank only.

    All batches are full, since a network's sums round differently in a batch of another size. The last
    one is padded with copies of its last image, which ``Batch.real`` does not count.
    """
    size = recipe.evaluation.batch_size
    images = SplitImages(
        split,
        DecodedImages(split, recipe.data.input_size, keep=False, reduced=recipe.data.reduced_decode),
        Normalise(recipe.weights.mean, recipe.weights.std),
    )
    batches = _chunks(list(range(rank, len(split), world_size)), size)
    padded = [(batch + batch[-1:] * (size - len(batch)), len(batch)) for batch in batches]
    return Loader(images, padded, recipe)


def generator_of(seed: int, epoch: int, index: int) -> torch.Generator:
    """The generator of one image in one epoch; ``index`` -1 is the epoch's order."""
    text = f"{seed}/{epoch}/{index}"
    return torch.Generator().manual_seed(
        int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
    )


def _chunks(items: list[int], size: int) -> Iterator[list[int]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _collate(samples: list[Sample | UserError]) -> Batch | UserError:
    # An error is named once, although a batch may be padded with copies of its last image.
    errors = dict.fromkeys(str(sample) for sample in samples if isinstance(sample, UserError))
    if errors:
        return UserError.of(list(errors))
    good = [sample for sample in samples if isinstance(sample, Sample)]
    return Batch(
        torch.stack([sample.image for sample in good]),
        torch.tensor([sample.label for sample in good]),
        [sample.image_id for sample in good],
        torch.tensor([sample.index for sample in good]),
        len(good),
        None if good[0].boxes is None else [sample.boxes for sample in good],
    )
