"""A head that classifies the class token, as ViT does (Dosovitskiy et al., ICLR 2021)."""

from __future__ import annotations

from torch import Tensor, nn

from wsol.attention.contract import HeadOutput
from wsol.errors import UserError
from wsol.models.backbone import Backbone


class ClassTokenHead(nn.Module):
    """Class token -> logits by a linear layer; no class maps.

    The patches reach the logits by the token's attention alone, so that its attention is learned.

    Args:
        channels: C. num_classes: K.

    Attributes:
        reads_prefix: a `Localizer` gives the head its prefix tokens too.
        reads_class_token: the class token's attention is part of what the network decides by.
        reads_maps: the logits do not depend on the last features.
    """

    reads_prefix = True
    reads_class_token = True
    reads_maps = False

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(channels, num_classes)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    @property
    def num_classes(self) -> int:
        """K, the length of the logits."""
        return self.classifier.out_features

    def forward(self, features: Tensor, prefix: Tensor) -> HeadOutput:
        """Logits (N, K) of the first of the prefix tokens (N, P, C), no class maps, no attention."""
        return HeadOutput(self.classifier(prefix[:, 0]), None, {})


def class_token_head(backbone: Backbone, num_classes: int) -> ClassTokenHead:
    """The head for a backbone; ``UserError`` where that has no class token."""
    if backbone.tokens is None or not backbone.tokens.class_token:
        raise UserError(
            f"head.name class_token: backbone {backbone.name} has no class token; use head.name cam"
        )
    return ClassTokenHead(backbone.out_channels, num_classes)
