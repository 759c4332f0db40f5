"""What a frozen network makes of each training image: computed once for a data set, and kept on disk.

A head then trains on these without the network. They lie in ``features`` beside the runs, one file for
whatever decides them: images, their preprocessing, the network and its weights, precision and device.
So heads, methods and seeds of the head share them. The folder may be deleted at any time.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from wsol.data.loading.decoded import MEMORY_LIMIT
from wsol.data.loading.loader import Batch, epoch_batches, eval_loader, trained_images
from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.files.writing.atomic import replacing
from wsol.methods.contract import TrainingMethod
from wsol.models.localizer import Localizer
from wsol.models.packed import packed_features
from wsol.models.weights.loading import tensors_sha256
from wsol.progress import say, track
from wsol.recipe import Recipe
from wsol.scores.records import digest
from wsol.training.device import device_name

FOLDER = "features"
# NumPy has no bfloat16: its bits are kept.
BITS = {torch.bfloat16: torch.int16}


class KeptFeatures(Dataset):
    """Features of all training images, (n, ...) in the split's order: in memory where they fit.

    Args:
        images: the images that are trained on.
        values: their features.
        recipe: its batches are made.
    """

    def __init__(self, images: ManifestSplit, values: np.ndarray, recipe: Recipe) -> None:
        self.images, self.recipe = images, recipe
        self.labels = torch.from_numpy(images.labels)
        self.values = np.array(values) if values.nbytes <= MEMORY_LIMIT else values

    def train_loader(self, *, epoch: int, rank: int = 0, world_size: int = 1) -> DataLoader[Batch]:
        """The batches of `wsol.data.loading.loader.train_loader`, with features for images."""
        count = len(self.images)
        batches = epoch_batches(count, self.recipe, epoch=epoch, rank=rank, world_size=world_size)
        # torch's loader as for images, since it draws a number from where dropout draws its own.
        return DataLoader(self, sampler=batches, batch_size=None)

    def __getitem__(self, indices: list[int]) -> Batch:
        """The batch of the images at ``indices``."""
        ids = [self.images.image_ids[index] for index in indices]
        places = torch.tensor(indices)
        return Batch(self.of(indices), self.labels[places], ids, places, len(indices))

    def of(self, indices: Sequence[int]) -> Tensor:
        """The features of some images, (len(indices), ...)."""
        found = torch.from_numpy(self.values[list(indices)])
        return found.view(torch.bfloat16) if found.dtype == torch.int16 else found


def keep_features(
    recipe: Recipe, split: ManifestSplit, runs: Path, fabric: Fabric, method: TrainingMethod
) -> KeptFeatures:
    """The features of a frozen network, from the folder ``features`` in ``runs`` or computed into it.

    ``UserError`` where they would not fit on the disk.
    """
    images, localizer = trained_images(split, recipe), method.localizer
    path = runs / FOLDER / f"{digest(_origin(recipe, images, localizer, fabric))[:16]}.npy"
    if fabric.is_global_zero and _read(path, len(images)) is None:
        _compute(recipe, images, path, fabric, localizer)
    fabric.barrier()
    values = _read(path, len(images))
    if values is None:
        raise UserError(f"{path}: was removed while this run needed it; run the same command again")
    return KeptFeatures(images, values, recipe)


def _origin(
    recipe: Recipe, images: ManifestSplit, localizer: Localizer, fabric: Fabric
) -> dict[str, Any]:
    """All that decides the features, down to the last digit."""
    data, weights, backbone = recipe.data, recipe.weights, recipe.backbone
    return {
        "manifest": images.manifest.hash,
        "images": digest({"ids": images.image_ids, "files": [_stamp(path) for path in images.paths]}),
        "pixels": [data.input_size, data.reduced_decode, list(weights.mean), list(weights.std)],
        "network": [backbone.name, dict(backbone.strides), dict(backbone.options)],
        "weights": tensors_sha256(localizer.backbone.state_dict()),
        "precision": [recipe.training.precision, recipe.training.channels_last],
        "batch": recipe.training.batch_size,
        "device": [device_name(fabric.device, torch.get_num_threads()), platform.machine()],
        "torch": torch.__version__,
    }


def _stamp(path: str) -> list[int]:
    """Size and time of a file: the manifest knows no pixels. Who misses the file says so later."""
    try:
        found = Path(path).stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def _read(path: Path, count: int) -> np.ndarray | None:
    """The features of ``count`` images, mapped; None where there are none, or the file is damaged."""
    try:
        values = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return values if len(values) == count else None


@torch.no_grad()
def _compute(
    recipe: Recipe, images: ManifestSplit, path: Path, fabric: Fabric, localizer: Localizer
) -> None:
    """Write the features of ``images`` to ``path``, whole or not at all."""
    # As many images at once as in training: sums of another batch size round differently.
    alike = recipe.changed(evaluation={"batch_size": recipe.training.batch_size})
    loader = eval_loader(images, alike)
    with replacing(path) as temporary:
        values, done = None, 0
        for batch in track(loader, len(loader), "features of the frozen network"):
            pixels = batch.images.to(fabric.device)
            if recipe.training.channels_last:
                pixels = pixels.contiguous(memory_format=torch.channels_last)
            with fabric.autocast():
                found = packed_features(localizer.backbone, pixels)[: batch.real].cpu()
            found = found.contiguous().view(BITS.get(found.dtype, found.dtype)).numpy()
            if values is None:
                shape = (len(images), *found.shape[1:])
                _refuse_too_large(path, shape, found.dtype)
                values = np.lib.format.open_memmap(temporary, "w+", found.dtype, shape)
                say(f"{path}: {values.nbytes / 1e6:.1f} MB of features, {shape[1:]} an image")
            values[done : done + len(found)] = found
            done += len(found)
        if values is not None:
            values.flush()


def _refuse_too_large(path: Path, shape: Sequence[int], dtype: np.dtype) -> None:
    needed = float(np.prod(shape, dtype=float)) * dtype.itemsize
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise UserError(
            f"{path.parent}: the features of {shape[0]:,} images take {needed / 1e9:.1f} GB, "
            f"{free / 1e9:.1f} GB are free: make room, or leave out training.cache_features"
        )
