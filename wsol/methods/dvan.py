"""Training of DVAN: its glances shall not overlap.

Zhao, Wu, Feng, Peng, Yan, IEEE Transactions on Multimedia 2017, arXiv 1606.08572.
"""

from __future__ import annotations

from torch import Tensor

from wsol.attention.dvan import DVAN
from wsol.errors import UserError
from wsol.methods.contract import StepOutput, TrainingMethod
from wsol.models.localizer import Localizer


class Diversified(TrainingMethod):
    """Cross-entropy, and a penalty on the overlap of DVAN's glances (Zhao et al., arXiv 1606.08572).

    Args:
        localizer: with the head `dvan`.
        weight: of the penalty (reading).
        label_smoothing: of the cross-entropy.
    """

    from_features = True

    def __init__(self, localizer: Localizer, weight: float = 1.0, label_smoothing: float = 0.0) -> None:
        super().__init__(localizer, label_smoothing)
        if weight < 0:
            raise UserError(f"method dvan: weight {weight} must not be negative")
        self.weight = weight
        self.glances()

    def glances(self) -> DVAN:
        """The head; ``UserError`` where it is another one."""
        head = getattr(self.localizer.head, "module", None)
        if not isinstance(head, DVAN):
            raise UserError("method dvan keeps the glances of DVAN apart: take --attention dvan")
        return head

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W), labels (N,) to cross-entropy plus penalty."""
        logits = self.localizer(images).logits
        overlap = self.glances().overlap
        assert overlap is not None, "the forward pass leaves it"
        loss = self.classification(logits, labels) + self.weight * overlap
        return StepOutput(loss, logits, {"overlap": overlap.detach()})
