"""ACoL: a second classifier learns from what the first did not need.

Zhang et al., "Adversarial Complementary Learning for Weakly Supervised Object Localization", CVPR 2018,
arXiv 1804.06962; as in wsolevaluation, whose defaults these are.
"""

from __future__ import annotations

from torch import Tensor

from wsol.attention.contract import HEAD
from wsol.errors import UserError
from wsol.methods.contract import StepOutput, TrainingMethod
from wsol.models.erasing_head import ErasingHead
from wsol.models.heads import CamHead
from wsol.models.localizer import Localizer


class ACoL(TrainingMethod):
    """ACoL (Zhang et al., CVPR 2018, arXiv 1804.06962): two classifiers, the second of erased features.

    The localizer's head makes way for `wsol.models.erasing_head.ErasingHead`; the cross-entropies of
    both branches are added.

    Args:
        localizer: with a CAM head of any kind.
        drop_threshold: of the first branch's stretched map, from 0 to 1: features from there on are
            erased.
        width: channels of the branches' convolutions.
        averaged: whether features are averaged over 3x3 before; None: on VGG, as in the reference.
        label_smoothing: of the cross-entropies.

    Raises:
        UserError: attention as the head or in it, the network's own classifier, a threshold outside
            [0, 1].
    """

    from_features = True

    def __init__(
        self,
        localizer: Localizer,
        drop_threshold: float = 0.7,
        width: int = 1024,
        averaged: bool | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(localizer, label_smoothing)
        if not isinstance(localizer.head, CamHead) or HEAD in localizer.placed:
            raise UserError(
                "method acol puts two CAM heads in place of the head: take head.name cam, and no "
                "attention as head or in it"
            )
        if not 0 <= drop_threshold <= 1 or width < 1:
            raise UserError(
                f"method acol: drop_threshold {drop_threshold} is from 0 to 1, width {width} at least 1"
            )
        backbone = localizer.backbone
        if averaged is None:
            averaged = backbone.name.startswith("vgg")
        localizer.head = ErasingHead(
            backbone.out_channels,
            localizer.head.num_classes,
            width,
            drop_threshold,
            averaged=averaged,
        )

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W), labels (N,) to the sum of both branches' losses."""
        head = self.localizer.head
        assert isinstance(head, ErasingHead)
        first, second = head.branches(self.localizer.last_features(images), labels)
        losses = [self.classification(branch.logits, labels) for branch in (first, second)]
        log = {f"branch{number}_loss": loss for number, loss in enumerate(losses, start=1)}
        return StepOutput(losses[0] + losses[1], first.logits, log)
