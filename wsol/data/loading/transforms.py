"""What happens to an image between its file and the network; its boxes move with it.

Training [code of wsolevaluation]: squash to ``resize_size``, random crop of ``input_size``, flip.
Test: squash to ``input_size``, nothing cut off. Squashing is Pillow's bilinear with antialiasing,
which is what torchvision's ``Resize`` does with the images the reference reads.

Boxes are (n, 4) float32 half-open ``x0, y0, x1, y1``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from wsol.errors import UserError


def squash(image: Image.Image, side: int) -> np.ndarray:
    """The RGB image as (side, side, 3) uint8, aspect ratio not kept."""
    if image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(image)


def squash_boxes(boxes: np.ndarray, size: tuple[int, int], side: int) -> np.ndarray:
    """Boxes of an image of ``size`` (height, width) in its squashed copy."""
    height, width = size
    scale = np.array([side / width, side / height] * 2, np.float64)
    return (boxes * scale).astype(np.float32)


@dataclass(frozen=True)
class Normalise:
    """(h, w, 3) uint8 to a (3, h, w) float tensor: RGB in [0, 1], minus mean, over std."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __call__(self, pixels: np.ndarray) -> Tensor:
        """Normalise one image."""
        image = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        return image.float().div_(255).sub_(mean).div_(std)


@dataclass(frozen=True)
class RandomCropFlip:
    """The random part of training, on squashed pixels (resize_size, resize_size, 3).

    ``UserError`` where the crop is larger than what it is cut from.
    """

    input_size: int
    resize_size: int
    flip: bool

    def __post_init__(self) -> None:
        if self.input_size > self.resize_size:
            raise UserError(
                f"data.input_size ({self.input_size}) is larger than data.resize_size "
                f"({self.resize_size}): nothing to crop from"
            )

    def __call__(
        self, pixels: np.ndarray, generator: torch.Generator, boxes: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The crop (input_size, input_size, 3), and the boxes in it where some were given.

        Boxes are cut at the crop's edge; one that lies outside it becomes empty.
        """
        room = self.resize_size - self.input_size + 1
        top, left = torch.randint(room, (2,), generator=generator).tolist()
        flipped = bool(torch.rand((), generator=generator) < 0.5) and self.flip
        side = self.input_size
        pixels = pixels[top : top + side, left : left + side]
        if flipped:
            pixels = pixels[:, ::-1]
        return pixels, None if boxes is None else self._move(boxes, top, left, flipped)

    def _move(self, boxes: np.ndarray, top: int, left: int, flipped: bool) -> np.ndarray:
        moved = boxes - np.array([left, top, left, top], np.float32)
        if flipped:
            moved[:, [0, 2]] = self.input_size - moved[:, [2, 0]]
        return moved.clip(0, self.input_size)
