"""Hide-and-Seek: parts of every training image are hidden, so that no part alone is enough.

Singh, Lee, "Hide-and-Seek: Forcing a Network to be Meticulous for Weakly-supervised Object and Action
Localization", ICCV 2017, arXiv 1704.04232; as in wsolevaluation, whose defaults these are.
"""

from __future__ import annotations

import torch
from torch import Tensor

from wsol.errors import UserError
from wsol.methods.contract import StepOutput, TrainingMethod
from wsol.models.localizer import Localizer


class HideAndSeek(TrainingMethod):
    """HaS (Singh, Lee, ICCV 2017, arXiv 1704.04232): cross-entropy on images with cells hidden.

    Hidden pixels become 0 after normalisation, which is the mean colour. At test the image is whole.

    Args:
        localizer: any.
        grid_size: side of a cell in pixels; cells at the right and lower edge may be smaller.
        drop_rate: chance of a cell to be hidden, from 0 to 1.
        label_smoothing: of the cross-entropy.

    Raises:
        UserError: a cell without pixels, a chance outside [0, 1].
    """

    def __init__(
        self,
        localizer: Localizer,
        grid_size: int = 4,
        drop_rate: float = 0.5,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(localizer, label_smoothing)
        if grid_size < 1 or not 0 <= drop_rate <= 1:
            raise UserError(
                f"method has: grid_size {grid_size} is at least 1, drop_rate {drop_rate} from 0 to 1"
            )
        self.grid_size, self.drop_rate = grid_size, drop_rate

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W), labels (N,) to the cross-entropy of what is not hidden."""
        rows, columns = (-(-side // self.grid_size) for side in images.shape[2:])
        # On the CPU, so that a GPU hides the same cells.
        draws = torch.rand(len(images), rows, columns)
        hidden = (draws <= self.drop_rate).to(images.device)
        logits = self.localizer(with_hidden(images, hidden, self.grid_size)).logits
        return StepOutput(self.classification(logits, labels), logits)


def with_hidden(images: Tensor, hidden: Tensor, grid_size: int) -> Tensor:
    """Images (N, C, H, W) with 0 where a cell of ``hidden`` (N, rows, columns) bool is true."""
    height, width = images.shape[2:]
    pixels = hidden.repeat_interleave(grid_size, 1).repeat_interleave(grid_size, 2)
    return images.masked_fill(pixels[:, None, :height, :width], 0)
