"""TS-CAM: class maps of patch tokens, which the attention of the class token weighs at test.

Gao et al., "TS-CAM: Token Semantic Coupled Attention Map for Weakly Supervised Object Localization",
ICCV 2021, arXiv 2103.14862; as in its code (github.com/vasgaowei/TS-CAM: lib/models/deit.py).
"""

from __future__ import annotations

from torch import Tensor, nn

from wsol.attention.contract import HEAD
from wsol.errors import UserError
from wsol.methods.contract import StepOutput, TrainingMethod
from wsol.models.heads import CamHead
from wsol.models.localizer import Localizer
from wsol.models.token_head import class_token_of


class TSCAM(TrainingMethod):
    """TS-CAM (Gao et al., ICCV 2021): a 3x3 convolution makes class maps of patch tokens.

    The maps' means are the logits, and the loss is their cross-entropy [code]. ``--maps ts_cam`` couples
    the class map with the class token's attention; ``--maps cam`` is the class map alone. The whole
    network is trained, as in its code; with ``training.freeze backbone`` the head alone.

    Args:
        localizer: of a network with a class token and plain attention, with a CAM head, which makes way.
        label_smoothing: of the cross-entropy; its code has none.

    Raises:
        UserError: another network, another head.
    """

    from_features = True

    def __init__(self, localizer: Localizer, label_smoothing: float = 0.0) -> None:
        super().__init__(localizer, label_smoothing)
        backbone, head = localizer.backbone, localizer.head
        class_token_of(backbone, "method ts_cam", plain=True)
        if not isinstance(head, CamHead) or HEAD in localizer.placed:
            raise UserError(
                "method ts_cam has a head of its own: take head.name cam, and no attention in the head"
            )
        localizer.head = CamHead(backbone.out_channels, head.num_classes)
        # As torch draws it: the code initialises linear layers and norms, and this is neither.
        localizer.head.classifier = nn.Conv2d(backbone.out_channels, head.num_classes, 3, padding=1)

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W), labels (N,) to the cross-entropy."""
        logits = self.localizer(images).logits
        return StepOutput(self.classification(logits, labels), logits)
