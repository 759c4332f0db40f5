"""A loss at every stack of a stacked hourglass.

Newell, Yang, Deng, "Stacked Hourglass Networks for Human Pose Estimation", ECCV 2016, arXiv 1603.06937.
"""

from __future__ import annotations

from torch import Tensor

from wsol.attention.hourglass import StackedHourglass, losses_of
from wsol.errors import UserError
from wsol.methods.contract import StepOutput, TrainingMethod
from wsol.models.localizer import Localizer


class Stacked(TrainingMethod):
    """Cross-entropy at every stack of a hourglass, added (Newell et al., ECCV 2016, arXiv 1603.06937).

    The paper's is the squared distance of heatmaps; here labels are all there is (reading).
    """

    from_features = True

    def __init__(self, localizer: Localizer, label_smoothing: float = 0.0) -> None:
        super().__init__(localizer, label_smoothing)
        self.stacked()

    def stacked(self) -> StackedHourglass:
        """The head with the stacks; ``UserError`` where it is another one."""
        head = getattr(self.localizer.head, "module", None)
        if not isinstance(head, StackedHourglass):
            raise UserError(
                "method stacked trains stacked hourglasses: take --backbone hourglass_stem --attention "
                "hourglass"
            )
        return head

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W), labels (N,) to the sum of the stacks' losses."""
        logits = self.localizer(images).logits
        losses = losses_of(self.stacked(), self.classification, labels)
        log = {f"stack{number}_loss": loss for number, loss in enumerate(losses.detach(), start=1)}
        return StepOutput(losses.sum(), logits, log)
