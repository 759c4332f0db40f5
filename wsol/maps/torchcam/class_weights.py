"""CAM as torchcam computes it: the last linear layer's weights over the features before the pooling."""

from __future__ import annotations

from typing import Any

from torch import nn

from wsol.errors import UserError
from wsol.maps.torchcam.extractor import Extracted
from wsol.models.heads import CamHead
from wsol.models.localizer import Localizer


class ClassWeights(Extracted):
    """CAM (Zhou et al., CVPR 2016) by torchcam, raw: the map of cam without bias and without ReLU.

    torchcam's formula shows a ReLU, its code has none. The features are those that the 1x1 convolution
    of the class maps reads.
    """

    def extractor(self, methods: Any, localizer: Localizer, features: nn.Module) -> Any:
        """On what the head's classifier reads; ``UserError`` where the head is none of CAM's."""
        head = localizer.head
        if not isinstance(head, CamHead) or head.classifier.kernel_size != (1, 1):
            raise UserError(
                f"{self.name} reads a head of pooling and one linear layer, which this network has not: "
                "take --maps torchcam:GradCAM"
            )
        return methods.CAM(localizer, head.before, head.classifier)
