"""TriLite: a small head on a frozen network tells foreground, background and what is neither.

"TriLite", arXiv 2602.23120; as in its code (github.com/ariansabaghi/TriLite: model.py, train.py, main.py
and the two configurations that are named below). Its own weights are not to be had here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsol.attention.contract import HEAD
from wsol.errors import UserError
from wsol.methods.contract import OptimizerTurn, StepOutput, TrainingMethod
from wsol.models.heads import CamHead
from wsol.models.localizer import Localizer
from wsol.models.token_head import TriRegionHead, class_token_of
from wsol.recipe import TrainingSettings


class TriLite(TrainingMethod):
    """TriLite (arXiv 2602.23120): a frozen token network, a head that tells three regions apart.

    The loss is ``CE(class token) + CE(foreground) - alpha log(1 - p_background(y))``, each the mean over
    the batch [code]: the foreground has to be classified rightly, and the background must not be. The
    map is the foreground channel, of no class; the class is the class token's [code].

    Two rates as in its code: that of the class token's classifier is ``training.head_lr``, that of the
    rest of the head ``training.attention_lr``.

    Args:
        localizer: of a network with a class token, with a CAM head, which makes way.
        alpha: of the background's loss; its configurations have 100 (CUB, 200 classes) and 500 (ILSVRC,
            1000 classes).
        dropout: of the vectors that are classified; .5 on CUB, .25 on ILSVRC.
        normalised: whether the head reads the tokens after the network's last norm; with DINOv2 its code
            reads those before it.
        label_smoothing: of the two cross-entropies; its code has none.

    Raises:
        UserError: a network without a class token; another head; a network that is not frozen.
    """

    from_features = True

    def __init__(
        self,
        localizer: Localizer,
        alpha: float = 100.0,
        dropout: float = 0.5,
        normalised: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(localizer, label_smoothing)
        backbone = localizer.backbone
        class_token_of(backbone, "method trilite")
        if not isinstance(localizer.head, CamHead) or HEAD in localizer.placed:
            raise UserError(
                "method trilite has a head of its own: take head.name cam, and no attention in the head"
            )
        if alpha < 0 or not 0 <= dropout < 1:
            raise UserError(
                f"method trilite: alpha {alpha} must not be negative, dropout {dropout} is from 0 to 1"
            )
        if not normalised:
            backbone.drop_final_norm()
        self.alpha = alpha
        localizer.head = TriRegionHead(backbone.out_channels, localizer.head.num_classes, dropout)

    @property
    def regions(self) -> TriRegionHead:
        """The head."""
        head = self.localizer.head
        assert isinstance(head, TriRegionHead)
        return head

    def parameter_groups(self, head_from: str = "") -> dict[str, list[nn.Parameter]]:
        """The localizer's; what localizes counts as attention, the class token's classifier as head."""
        groups = super().parameter_groups(head_from)
        own = self.regions.localization_parameters()
        groups["attention"] += own
        taken = {id(parameter) for parameter in own}
        groups["head"] = [one for one in groups["head"] if id(one) not in taken]
        return groups

    def configure_optimizers(self, training: TrainingSettings) -> Sequence[OptimizerTurn]:
        """One turn; ``UserError`` where the network would be trained too."""
        if training.freeze != "backbone" or training.head_from:
            raise UserError(
                "method trilite trains a head on a frozen network: set training.freeze backbone, and no "
                "training.head_from"
            )
        return super().configure_optimizers(training)

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W), labels (N,) to the sum of the three losses."""
        features, aside = self.localizer.tapped_pass(images)
        found = self.regions.regions(features[self.localizer.backbone.last_maps], aside.prefix)
        classes, foreground = (
            self.classification(logits, labels) for logits in (found.image, found.foreground)
        )
        background = self.alpha * unlikeliness(found.background, labels)
        log = {
            "class_loss": classes,
            "foreground_loss": foreground,
            "background_loss": background,
        }
        return StepOutput(classes + foreground + background, found.image, log)


def unlikeliness(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean of ``-log(1 - p(y))`` for logits (N, K) and labels (N,): small where y is unlikely."""
    # bfloat16 knows nothing between 1 - 1/256 and 1.
    exact = torch.promote_types(logits.dtype, torch.float32)
    likely = logits.softmax(dim=1, dtype=exact).gather(1, labels[:, None])
    # [code] 1e-7 keeps the logarithm finite.
    return -torch.log(1 - likely + 1e-7).mean()
