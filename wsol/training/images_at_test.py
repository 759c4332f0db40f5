"""Training images as they are seen at test, for what a method fits once training has ended."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import ManifestSplit
from wsol.recipe import Recipe


class ImagesAtTest:
    """All training images of ``split`` without crop and flip, in order; iterate it as often as needed.

    Gives images (n, 3, H, W), normalised, and labels (n,) on ``device``; every process sees all.
    """

    def __init__(self, split: ManifestSplit, recipe: Recipe, device: torch.device) -> None:
        images = split.first_per_class(recipe.training.images_per_class)
        self._loader, self._device = eval_loader(images, recipe), device

    def __len__(self) -> int:
        """Number of batches."""
        return len(self._loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in self._loader:
            # The last batch is padded with copies.
            images, labels = batch.images[: batch.real], batch.labels[: batch.real]
            yield images.to(self._device), labels.to(self._device)
