"""What a trained network's attention maps look like before they are stretched: flat, or not.

Evaluation stretches every map over [0, 1]. A gate that says 0.50 here and 0.51 there then looks as sharp
as any, and a window that stays the whole image gives a box: both are told when training ends.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from wsol.attention.warps import boxes_of
from wsol.data.loading.loader import eval_loader
from wsol.data.manifest.manifest import ManifestSplit
from wsol.models.localizer import Localizer
from wsol.recipe import Recipe

IMAGES = 200  # enough for two digits of a mean
FLAT = 0.1


class ShownMaps(NamedTuple):
    """Means over some images.

    Attributes:
        images: how many.
        spread: of each attention map by name: (max - min) / max |value|, from 0 (flat).
        window: the sides of the window's box, in shares of the image's, where the network looks at one.
    """

    images: int
    spread: dict[str, float]
    window: tuple[float, float] | None

    def lines(self) -> list[str]:
        """What a person should know of it."""
        told = []
        if self.spread:
            parts = ", ".join(f"{name} {value:.3f}" for name, value in self.spread.items())
            told.append(f"spread of attention maps, (max - min) / max on {self.images} images: {parts}")
        if flat := [name for name, value in self.spread.items() if value < FLAT]:
            told.append(
                f"nearly flat: {', '.join(flat)}; evaluation stretches what little there is over [0, 1]"
            )
        if self.window is not None:
            width, height = self.window
            told.append(f"mean window: {width:.2f} of the image's width, {height:.2f} of its height")
        return told


@torch.inference_mode()
def shown_maps(localizer: Localizer, images: ManifestSplit, recipe: Recipe) -> ShownMaps:
    """Look at the first `IMAGES` images of a split with a network in evaluation mode."""
    some = images.where(np.arange(len(images)) < IMAGES)
    device = next(localizer.parameters()).device
    spreads: dict[str, list[float]] = {}
    sides: list[list[float]] = []
    localizer.eval()
    for batch in eval_loader(some, recipe):
        output = localizer(batch.images[: batch.real].to(device))
        for name, maps in output.attention.items():
            flat = maps.float().flatten(1)
            low, high = flat.aminmax(dim=1)
            largest = flat.abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny)
            spreads.setdefault(name, []).extend(((high - low) / largest).tolist())
        if output.window is not None:
            boxes = boxes_of(output.window)
            sides += (boxes[:, 2:] - boxes[:, :2]).tolist()
    width, height = np.mean(sides, axis=0).tolist() if sides else (0.0, 0.0)
    return ShownMaps(
        len(some),
        {name: float(np.mean(found)) for name, found in spreads.items()},
        (width, height) if sides else None,
    )
