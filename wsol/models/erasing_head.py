"""ACoL's head: two classifiers, of which the second sees the features that the first did not need.

Zhang et al., "Adversarial Complementary Learning for Weakly Supervised Object Localization", CVPR 2018,
arXiv 1804.06962; as in wsolevaluation.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsol.attention.contract import HeadOutput
from wsol.errors import UserError
from wsol.models.class_maps import of_classes, stretched
from wsol.models.heads import CamHead, convolutions


class ErasingHead(nn.Module):
    """Features (N, C, h, w) to the first branch's logits, and to the maps of both together.

    A class's map is the larger of the branches' maps, each stretched over [0, 1]. The second branch's
    depends on what was erased: by the map of the class that is asked for (`map_of`), or of the one
    that the first branch predicts (`forward`).

    Args:
        channels: C. num_classes: K.
        width: channels of the branches' two 3x3 convolutions.
        threshold: where the first branch's stretched map reaches it, features are erased.
        averaged: the features are averaged over 3x3 first, as the reference has it on VGG.
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        width: int = 1024,
        threshold: float = 0.7,
        *,
        averaged: bool = False,
    ) -> None:
        super().__init__()
        self.first, self.second = (
            CamHead(channels, num_classes, nn.Sequential(*convolutions(channels, width, 2)), width)
            for _ in range(2)
        )
        self.threshold, self.averaged = threshold, averaged

    @property
    def num_classes(self) -> int:
        """K, the length of the logits."""
        return self.first.num_classes

    def forward(self, features: Tensor) -> HeadOutput:
        """Logits (N, K) and class maps (N, K, h, w) in [0, 1], erased by the predicted class."""
        first, second = self.branches(features)
        assert first.class_maps is not None and second.class_maps is not None
        maps = torch.maximum(stretched(first.class_maps), stretched(second.class_maps))
        return HeadOutput(first.logits, maps, {})

    def branches(self, features: Tensor, labels: Tensor | None = None) -> tuple[HeadOutput, HeadOutput]:
        """What both branches say, the second of features erased by the map of ``labels`` (N,).

        Without labels by the map of the class that the first predicts. Erasing has no gradient.
        """
        if self.averaged:
            features = functional.avg_pool2d(features, 3, stride=1, padding=1)
        first = self.first(features)
        erased_by = first.logits.argmax(dim=1) if labels is None else labels
        needed = stretched(of_classes(first.class_maps, erased_by).detach()) >= self.threshold
        return first, self.second(features.masked_fill(needed[:, None], 0))

    def map_of(self, features: Tensor, columns: Sequence[Sequence[int]]) -> Tensor:
        """Each image's map (N, h, w) of its class, erased by that class's own map."""
        if any(len(own) > 1 for own in columns):
            raise UserError("ACoL's map is of one class an image; evaluation.classes has several")
        labels = torch.tensor([own[0] for own in columns], device=features.device)
        pair = self.branches(features, labels)
        first, second = (stretched(of_classes(one.class_maps, labels)) for one in pair)
        return torch.maximum(first, second)
