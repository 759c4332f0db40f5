"""Heads of token networks: what they need of the network, and the one that TriLite trains."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from wsol.attention.contract import HeadOutput
from wsol.errors import UserError
from wsol.models.backbone import Backbone
from wsol.models.networks.tokens.token_network import TokenNetwork


def class_token_of(backbone: Backbone, who: str, *, plain: bool = False) -> TokenNetwork:
    """What a token network with a class token is made of.

    Args:
        backbone: the network.
        who: asks, for the message: ``method trilite``.
        plain: whether its blocks must have plain self-attention.

    Raises:
        UserError: the network has none.
    """
    tokens = backbone.tokens
    if tokens is None or not tokens.class_token:
        raise UserError(
            f"{who} reads the class token of a network of tokens, and backbone {backbone.name} has "
            "none: take a ViT, DeiT or DINOv2 (vit_small_patch14_dinov2)"
        )
    if plain and not tokens.is_plain:
        raise UserError(
            f"{who} reads how much the class token attends to each patch, and the blocks of backbone "
            f"{backbone.name} have no plain self-attention: take a ViT, DeiT or DINOv2"
        )
    return tokens


class TokenHead(nn.Module, ABC):
    """A head that reads a token network's class token beside its maps.

    Attributes:
        num_classes: K, the length of the logits.
        default_map: which of its own maps ``--maps attention`` reads.
        reads_prefix: a `Localizer` gives the head its prefix tokens too.
        reads_class_token: the class token's attention is part of what the network decides by.
        reads_maps: whether the logits depend on the last maps.
    """

    num_classes: int
    default_map: str
    reads_prefix = True
    reads_class_token = True
    reads_maps: bool

    @abstractmethod
    def forward(self, features: Tensor, prefix: Tensor | None) -> HeadOutput:
        """Maps (N, C, h, w) and prefix tokens (N, P, C) to logits (N, K) and maps."""


class Regions(NamedTuple):
    """What `TriRegionHead` says of images.

    Attributes:
        image, foreground, background: logits (N, K) of the class token and of the two regions.
        shares: (N, 3, h, w), foreground, background and neither; they add up to 1 at each place.
    """

    image: Tensor
    foreground: Tensor
    background: Tensor
    shares: Tensor


class TriRegionHead(TokenHead):
    """TriLite's head (arXiv 2602.23120): each place is foreground, background, or neither.

    A 3x3 convolution without bias to three channels, a batch norm, and a softmax over the channels. One
    linear classifier reads the features' means weighted by the first channel and by the second, another
    one the class token [code: ariansabaghi/TriLite, model.py]. The first is the foreground, although a
    comment there says background; the third is in no loss.

    Args:
        channels: C. num_classes: K.
        dropout: of the three vectors that are classified.
    """

    default_map = "foreground"
    reads_maps = False

    def __init__(self, channels: int, num_classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.region = nn.Conv2d(channels, 3, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(3)
        self.of_region = nn.Linear(channels, num_classes)
        self.of_image = nn.Linear(channels, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor, prefix: Tensor | None) -> HeadOutput:
        """Logits (N, K) of the class token, no class maps, three maps (N, h, w) in [0, 1]."""
        found = self.regions(features, prefix)
        foreground, background, neither = found.shares.unbind(dim=1)
        maps = {"foreground": foreground, "background": background, "neither": neither}
        return HeadOutput(found.image, None, maps)

    def regions(self, features: Tensor, prefix: Tensor | None) -> Regions:
        """Maps (N, C, h, w) and prefix tokens (N, P, C) to what both classifiers say."""
        assert prefix is not None, "the head was built for a network with a class token"
        shares = self.norm(self.region(features)).softmax(dim=1)
        weights = shares[:, :2].flatten(2)
        sums = torch.einsum("nrp,ncp->nrc", weights, features.flatten(2))
        # [code] so many are never divided by nothing.
        means = sums / (weights.sum(dim=2, keepdim=True) + 1e-6)
        foreground, background = (self.of_region(self.dropout(mean)) for mean in means.unbind(dim=1))
        return Regions(self.of_image(self.dropout(prefix[:, 0])), foreground, background, shares)

    def localization_parameters(self) -> list[nn.Parameter]:
        """All but the classifier of the class token."""
        parts = (self.region, self.norm, self.of_region)
        return [parameter for part in parts for parameter in part.parameters()]
