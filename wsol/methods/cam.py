"""Plain classification training, read out as class activation maps.

Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016.
"""

from __future__ import annotations

from torch import Tensor

from wsol.methods.contract import StepOutput, TrainingMethod


class CAM(TrainingMethod):
    """Cross-entropy on the logits: the class maps' spatial means."""

    from_features = True

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W), labels (N,) to the cross-entropy."""
        logits = self.localizer(images).logits
        return StepOutput(self.classification(logits, labels), logits)
