"""SPG: what a class map says for certain teaches earlier features where the object is.

Zhang et al., "Self-produced Guidance for Weakly-supervised Object Localization", ECCV 2018,
arXiv 1807.08902; masks, thresholds, losses and where the branches begin as in wsolevaluation at b5c1e8a
(wsol/method/spg.py, wsol/vgg.py, wsol/inception.py, wsol/resnet.py).

There the first branch begins at the stage before the last, the second at the last, the third at the
features of the class maps: on VGG16 with ``width: 512``, on InceptionV3 with ``dropout: 0.5``.
ResNet50's begin inside and after layer3, with widths of their own: ``places: [stage4.0, stage4],
convolutions: 0, side: 1024, deep: 1024, third: 512``. The parameters are the reference's on all three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsol.attention.contract import HEAD
from wsol.errors import UserError
from wsol.methods.contract import StepOutput, TrainingMethod
from wsol.models.backbone import Backbone
from wsol.models.class_maps import of_classes, stretched
from wsol.models.heads import CamHead, convolutions
from wsol.models.insertion.taps import Tap
from wsol.models.localizer import Localizer

# High and low of the masks that the class map, the second branch and both branches together give.
THRESHOLDS = ((0.7, 0.01), (0.5, 0.05), (0.7, 0.1))
FOREGROUND, BACKGROUND, IGNORED = 1, 0, 255
LEAST_PIXELS, SHARE_OF_MAXIMUM = 30, 0.7


class SPG(TrainingMethod):
    """SPG (Zhang et al., ECCV 2018, arXiv 1807.08902): masks of sure pixels supervise earlier features.

    A class map's sure pixels supervise the second branch, its sure pixels the first, and those of both
    together the third. The three are trained with the network and gone at test.

    Args:
        localizer: with a CAM head of any kind, and two stages at least.
        thresholds: (high, low) of the three masks; above is object, below is not, the rest is ignored.
        convolutions: 3x3 convolutions before the class maps, with ReLU.
        width: their channels.
        dropout: before, between and after them.
        places: where the two side branches begin, a stage or a block in it (``stage4.0``); none: the
            last two stages.
        side: channels of the first convolutions of the two side branches.
        deep: channels of the convolution that both share.
        third: channels of the third branch's; 0 means ``deep``.
        label_smoothing: of the cross-entropy.

    Raises:
        UserError: another head, attention in the head, a single stage, no such place, thresholds that
            are not three pairs in [0, 1].
    """

    def __init__(
        self,
        localizer: Localizer,
        thresholds: Sequence[Sequence[float]] = THRESHOLDS,
        convolutions: int = 2,
        width: int = 1024,
        dropout: float = 0.0,
        places: Sequence[str] = (),
        side: int = 512,
        deep: int = 512,
        third: int = 0,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(localizer, label_smoothing)
        self.thresholds = _checked(thresholds)
        localizer.head = _head(localizer, convolutions, width, dropout)
        early, late = _places(localizer.backbone, places)
        self.early, self.late = Tap(localizer.backbone, early), Tap(localizer.backbone, late)
        self.branches = SideBranches(
            (self.early.channels, self.late.channels),
            localizer.head.classifier.in_channels,
            side,
            deep,
            third or deep,
        )

    def parameter_groups(self, head_from: str = "") -> dict[str, list[nn.Parameter]]:
        """The localizer's, the branches among the head's."""
        groups = super().parameter_groups(head_from)
        groups["head"] += list(self.branches.parameters())
        return groups

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W), labels (N,) to the sum of the four losses."""
        head = self.localizer.head
        assert isinstance(head, CamHead)
        stages = {self.early.stage, self.late.stage}
        with self.early.listening(), self.late.listening():
            features = self.localizer.tapped_features(images, stages)
        before = head.before(features[self.localizer.backbone.last_maps])
        class_maps = head.after(head.classifier(before))
        logits = class_maps.mean(dim=(2, 3))
        said = self.branches(self.early.of(features), self.late.of(features), before)
        losses = guided(class_maps, labels, said, self.thresholds, images.shape[-2:])
        loss = self.classification(logits, labels) + losses.first + losses.second + losses.third
        log = {f"{name}_loss": value for name, value in losses._asdict().items()}
        return StepOutput(loss, logits, log)


class Said(NamedTuple):
    """Logits (N, 1, h, w) of the three branches, each of its own size."""

    first: Tensor
    second: Tensor
    third: Tensor


class SideBranches(nn.Module):
    """Two branches that share their last layers, and a third.

    Args:
        channels: of the features where the first and the second begin.
        last: of those where the third does.
        side, deep, third: widths, as `SPG` says.
    """

    def __init__(self, channels: tuple[int, int], last: int, side: int, deep: int, third: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Sequential(*convolutions(own, side, 1)) for own in channels)
        self.shared = nn.Sequential(*convolutions(side, deep, 1), nn.Conv2d(deep, 1, 1))
        self.third = nn.Sequential(*convolutions(last, third, 1), nn.Conv2d(third, 1, 1))

    def forward(self, early: Tensor, late: Tensor, last: Tensor) -> Said:
        """Features of the places (N, C, h, w) to what the branches say."""
        return Said(self.shared(self.first(early)), self.shared(self.second(late)), self.third(last))


def guided(
    class_maps: Tensor,
    labels: Tensor,
    said: Said,
    thresholds: Sequence[Sequence[float]],
    size: Sequence[int],
) -> Said:
    """The losses of the three branches, scalars, each against what the others are sure of.

    Args:
        class_maps: (N, K, h, w), of which each image's label (N,) is looked at.
        said: logits of the branches.
        thresholds: as `SPG` has them.
        size: height and width in which all are compared.
    """
    of_class = _resized(of_classes(class_maps, labels)[:, None], size)
    first, second, third = (_resized(logits, size) for logits in said)
    chances = first.sigmoid(), second.sigmoid()
    by_class, by_second, by_both = (
        mask_of(found.detach(), *pair)
        for found, pair in zip(
            (stretched(of_class), chances[1], (chances[0] + chances[1]) / 2), thresholds, strict=True
        )
    )
    return Said(_loss(first, by_second), _loss(second, by_class), _loss(third, by_both))


def mask_of(maps: Tensor, high: float, low: float) -> Tensor:
    """What maps (N, 1, H, W) are sure of: 1 above ``high``, 0 below ``low``, else `IGNORED`; uint8.

    Where fewer than 30 pixels are above ``high``, those above 0.7 of the image's maximum are taken.
    """
    above = maps > high
    few = above.flatten(1).sum(dim=1) < LEAST_PIXELS
    highest = maps.amax(dim=(1, 2, 3), keepdim=True)
    above = torch.where(few[:, None, None, None], maps > SHARE_OF_MAXIMUM * highest, above)
    mask = torch.full_like(maps, IGNORED, dtype=torch.uint8)
    mask[above] = FOREGROUND
    mask[maps < low] = BACKGROUND
    return mask


def _loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy, the mean over all pixels of the batch that are not ignored."""
    counted = mask != IGNORED
    losses = functional.binary_cross_entropy_with_logits(
        logits, (mask == FOREGROUND).to(logits.dtype), reduction="none"
    )
    return (losses * counted).sum() / counted.sum().clamp_min(1)


def _resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    return functional.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)


def _head(localizer: Localizer, count: int, width: int, dropout: float) -> CamHead:
    head, channels = localizer.head, localizer.backbone.out_channels
    if not isinstance(head, CamHead) or HEAD in localizer.placed:
        raise UserError(
            "method spg has a CAM head of its own: take head.name cam, and no attention as head or in it"
        )
    if not 0 <= dropout < 1:
        raise UserError(f"method spg: dropout {dropout} is from 0 to below 1")
    if not count:
        return CamHead(channels, head.num_classes)
    before = nn.Sequential(*convolutions(channels, width, count, dropout or None))
    return CamHead(channels, head.num_classes, before, width)


def _places(backbone: Backbone, asked: Sequence[str]) -> tuple[str, str]:
    """Where the first and the second side branch begin: as asked, or the last two stages."""
    if asked:
        if isinstance(asked, str) or len(asked) != 2:
            raise UserError(f"method spg: places are two, such as stage4.0,stage4, not {asked!r}")
        return asked[0], asked[1]
    stages = list(backbone.stages)
    last = stages.index(backbone.last_maps)
    if not last:
        raise UserError(f"method spg needs two stages: backbone {backbone.name} has one")
    return stages[last - 1], stages[last]


def _checked(thresholds: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    pairs = tuple(tuple(pair) for pair in thresholds)
    if len(pairs) != 3 or any(len(pair) != 2 or not 0 <= pair[1] <= pair[0] <= 1 for pair in pairs):
        raise UserError(f"method spg: thresholds {thresholds} are three pairs, high and low, in [0, 1]")
    return pairs  # type: ignore[return-value]
