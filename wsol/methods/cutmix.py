"""CutMix: a rectangle of every training image is another image's, and so is its share of the label.

Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features",
ICCV 2019, arXiv 1905.04899; as in wsolevaluation, whose defaults these are.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from wsol.errors import UserError
from wsol.methods.contract import StepOutput, TrainingMethod
from wsol.models.localizer import Localizer


class CutMix(TrainingMethod):
    """CutMix (Yun et al., ICCV 2019, arXiv 1905.04899): cross-entropy on images mixed by a rectangle.

    One rectangle and one order of the partners a batch. The accuracy in the log is that of the images
    as they were mixed, by the label of the larger part.

    Args:
        localizer: any.
        beta: of the distribution Beta(beta, beta) that the kept share is drawn from.
        rate: chance of a batch to be mixed, from 0 to 1.
        label_smoothing: of the cross-entropy.

    Raises:
        UserError: a beta that is not positive, a chance outside [0, 1].
    """

    def __init__(
        self,
        localizer: Localizer,
        beta: float = 1.0,
        rate: float = 1.0,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(localizer, label_smoothing)
        if beta <= 0 or not 0 <= rate <= 1:
            raise UserError(f"method cutmix: beta {beta} is above 0, rate {rate} from 0 to 1")
        self.beta, self.rate = beta, rate

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W), labels (N,) to the cross-entropy of the mixed images."""
        # All draws on the CPU, so that a GPU mixes alike.
        if float(torch.rand(())) >= self.rate:
            logits = self.localizer(images).logits
            return StepOutput(self.classification(logits, labels), logits)
        height, width = images.shape[2:]
        share = float(torch.distributions.Beta(self.beta, self.beta).sample())
        centre = int(torch.randint(height, ())), int(torch.randint(width, ()))
        partners = torch.randperm(len(images)).to(images.device)
        cut = rectangle(height, width, share, centre)
        logits = self.localizer(mixed(images, partners, cut)).logits
        kept = 1 - cut.area / (height * width)
        own, others = (self.classification(logits, some) for some in (labels, labels[partners]))
        # The accuracy wants one label: the partner's, where its part is the larger.
        shown = logits if kept >= 0.5 else logits[partners.argsort()]
        return StepOutput(kept * own + (1 - kept) * others, shown, {"kept": kept})


class Rectangle(NamedTuple):
    """Pixel rows and columns of a rectangle, the last of each excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """Its pixels."""
        return (self.bottom - self.top) * (self.right - self.left)


def rectangle(height: int, width: int, share: float, centre: tuple[int, int]) -> Rectangle:
    """The rectangle that leaves about ``share`` of an image, clipped to it.

    Args:
        height, width: of the image.
        share: of the image that is kept; a clipped rectangle leaves more.
        centre: its row and column.
    """
    side = math.sqrt(1 - share)
    ends = []
    for size, middle in ((height, centre[0]), (width, centre[1])):
        half = int(size * side) // 2
        ends.append((max(0, middle - half), min(size, middle + half)))
    (top, bottom), (left, right) = ends
    return Rectangle(top, left, bottom, right)


def mixed(images: Tensor, partners: Tensor, cut: Rectangle) -> Tensor:
    """Images (N, C, H, W) with the rectangle ``cut`` of the images at ``partners`` (N,)."""
    found = images.clone()
    rows, columns = slice(cut.top, cut.bottom), slice(cut.left, cut.right)
    found[:, :, rows, columns] = images[partners, :, rows, columns]
    return found
