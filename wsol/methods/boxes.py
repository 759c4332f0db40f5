"""Few-shot full supervision: what the same network reaches with the boxes of a few images a class.

Choe et al., "Evaluating Weakly Supervised Object Localization Methods Right", CVPR 2020, arXiv
2001.07437, put such a row beside all methods: val's boxes could be trained on as well as chosen by.
The loss is our reading: the class map of an image's class learns the share of each cell that its boxes
cover, all others learn zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from wsol.errors import UserError
from wsol.methods.contract import StepOutput, TrainingMethod
from wsol.models.localizer import Localizer


class FewShotBoxes(TrainingMethod):
    """Few-shot full supervision (after Choe et al., CVPR 2020): maps learn boxes; a bound, unranked.

    The boxes are those of ``training.boxed_images`` images a class of val. Logits are the means of the
    class maps as ever, and are trained by cross-entropy beside, or top-1 would mean nothing.

    Args:
        localizer: with class maps of its own (a CAM head of any kind).
        weight: of the cross-entropy of the labels, beside the boxes' binary cross-entropy.
        label_smoothing: of the cross-entropy.

    Raises:
        UserError: a weight below 0.
    """

    needs_boxes: ClassVar[bool] = True

    def __init__(self, localizer: Localizer, weight: float = 0.1, label_smoothing: float = 0.0) -> None:
        super().__init__(localizer, label_smoothing)
        if weight < 0:
            raise UserError(f"method boxes: weight {weight} must be 0 or more")
        self.weight = weight

    def step(
        self, images: Tensor, labels: Tensor, turn: str, boxes: Sequence[Tensor] = ()
    ) -> StepOutput:
        """Images (N, 3, H, W), labels (N,) and boxes (n, 4) each, in pixels, to the two losses added."""
        output = self.localizer(images)
        if output.class_maps is None:
            raise UserError("method boxes trains class maps, and this head has none: take head.name cam")
        maps = output.class_maps.float()
        side = (images.shape[2], images.shape[3])
        covered = torch.stack([cells_covered(own, side, maps.shape[2:]) for own in boxes]).to(maps)
        wanted = torch.zeros_like(maps)
        wanted[torch.arange(len(labels)), labels] = covered
        of_boxes = functional.binary_cross_entropy_with_logits(maps, wanted)
        of_labels = self.classification(output.logits, labels)
        log = {"boxes_loss": of_boxes.detach(), "labels_loss": of_labels.detach()}
        return StepOutput(of_boxes + self.weight * of_labels, output.logits, log)


def cells_covered(boxes: Tensor, side: tuple[int, int], grid: Sequence[int]) -> Tensor:
    """The share (h, w) in [0, 1] of each cell of ``grid`` that boxes (n, 4) of an image (H, W) cover.

    Boxes are half-open ``x0, y0, x1, y1``, rounded to whole pixels; where they overlap they count once.
    """
    inside = torch.zeros(1, 1, *side)
    for x0, y0, x1, y1 in boxes.round().long().tolist():
        inside[0, 0, y0:y1, x0:x1] = 1
    return functional.adaptive_avg_pool2d(inside, (grid[0], grid[1]))[0, 0]
