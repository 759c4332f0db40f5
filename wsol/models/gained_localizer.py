"""A localizer that looks again: a pass weighs the last features by what the one before saw."""

from __future__ import annotations

import torch
from torch import Tensor

from wsol.attention.warps import pulled_back
from wsol.models.heads import CamHead
from wsol.models.localizer import Localizer, LocalizerOutput


class GainedLocalizer(Localizer):
    """A localizer whose last features pass on with one gain a channel, over ``passes`` passes.

    The first pass has gains of 1. Then ``gains = C softmax(W s)``, which average 1, with s the means of
    the weighed features and the class probabilities of the pass before. Output is that of the last pass.

    Attributes:
        policy_out, policy_in: the factors of W, (C, r) and (r, C + K): zeros change nothing. Where r is
            C the first is the identity.

    Args:
        localizer: with a linear `CamHead`; its modules are shared.
        rank: r of W's factors.
        passes: at least 1.
    """

    policy_out: Tensor
    policy_in: Tensor

    def __init__(self, localizer: Localizer, rank: int, passes: int) -> None:
        super().__init__(
            localizer.backbone,
            localizer.head,  # type: ignore[arg-type]
            localizer.placed,
            localizer.class_keys,
            localizer.input_size,
        )
        self.as_drawn, self.pretrained_sha256 = localizer.as_drawn, localizer.pretrained_sha256
        channels, classes = sizes_of(localizer)
        self.passes = passes
        self.register_buffer("policy_out", torch.zeros(channels, rank))
        self.register_buffer("policy_in", torch.zeros(rank, channels + classes))

    @property
    def fitted(self) -> list[Tensor]:
        """What the search has set: W, or its factors."""
        whole = len(self.policy_in) == len(self.policy_out)
        return [self.policy_in] if whole else [self.policy_out, self.policy_in]

    def last_features(self, images: Tensor) -> Tensor:
        """The features that go into the head in the last pass, (N, C, h, w)."""
        return self(images).features

    def forward(self, images: Tensor) -> LocalizerOutput:
        """The last pass's output; its features are weighed."""
        first = super().forward(images)
        head = self.head
        assert isinstance(head, CamHead)
        means = first.features.mean(dim=(2, 3)).float()
        gains = gains_of(means, linear_of(head), (self.policy_out, self.policy_in), self.passes)
        features = first.features * gains[:, :, None, None].to(first.features.dtype)
        logits, class_maps, _ = head(features)
        class_maps = pulled_back(class_maps, first.window)
        return first._replace(logits=logits, class_maps=class_maps, features=features)


def sizes_of(localizer: Localizer) -> tuple[int, int]:
    """C and K of the head."""
    head = localizer.head
    assert isinstance(head, CamHead)
    return head.classifier.in_channels, head.num_classes


def linear_of(head: CamHead) -> tuple[Tensor, Tensor]:
    """Weight (K, C) and bias (K,) of a linear head."""
    weight, bias = head.classifier.weight[:, :, 0, 0], head.classifier.bias
    return weight, weight.new_zeros(len(weight)) if bias is None else bias


def gains_of(
    means: Tensor, linear: tuple[Tensor, Tensor], policy: tuple[Tensor, Tensor], passes: int
) -> Tensor:
    """Gains of the last of ``passes`` passes.

    ``means`` (N, C) are those of the features as the network makes them; a linear head sees no more of
    them. ``policy`` are W's factors (..., C, r) and (..., r, C + K), maybe several policies at once.
    Returns (..., N, C).
    """
    weight, bias = linear
    out, into = policy
    gains = means.new_ones(*out.shape[:-2], *means.shape)
    for _ in range(passes - 1):
        weighed = gains * means
        seen = torch.cat([weighed, (weighed @ weight.T + bias).softmax(dim=-1)], dim=-1)
        gains = means.shape[1] * (seen @ into.mT @ out.mT).softmax(dim=-1)
    return gains
