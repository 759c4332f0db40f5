"""Attention-56 and Attention-92, as the author's network files have them.

Wang et al., "Residual Attention Network for Image Classification", CVPR 2017, arXiv 1704.06904; author
code fwang91/residual-attention-network, whose files are followed: the popular PyTorch port adds tensors
to each upsampling that they do not have.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from wsol.attention.contract import Attended
from wsol.attention.residual import ResidualUnit, SoftMask, masked
from wsol.errors import UserError, suggest
from wsol.models.placed import Placed

# Modules at the three middle stages.
MODULES = {"attention56": (1, 1, 1), "attention92": (1, 2, 3)}
# Poolings of the mask there: from 56, 28 and 14 positions a side down to 7.
DEPTHS = (3, 2, 1)
STEMS = ("imagenet", "small")
EXPANSION = 4


class AttentionModule(SoftMask):
    """A trunk of residual units under a soft mask: (N, C, h, w) -> the same, and maps.

    One unit, whose output feeds the mask as well as the trunk of two units; one unit after their fusion
    (p = 1, t = 2, r = 1 in the paper).
    """

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__(channels, depth, 1, "author")
        self.first = ResidualUnit(channels)
        self.trunk = nn.Sequential(ResidualUnit(channels), ResidualUnit(channels))
        self.last = ResidualUnit(channels)

    def forward(self, x: Tensor) -> Attended:
        """Features, and M in (0, 1) and |M T|, (N, C, h, w) each."""
        x = self.first(x)
        fused = masked(self, self.trunk(x), self.soft_mask(x))
        return Attended(self.last(fused.features), fused.attention)


class ProjectedUnit(nn.Module):
    """A residual unit between two widths; (N, in, h, w) -> (N, out, h / stride, w / stride).

    Its norm and ReLU come first, and the projection starts from what they give.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        hidden = max(1, out_channels // EXPANSION)
        self.activated = nn.Sequential(nn.BatchNorm2d(in_channels), nn.ReLU())
        self.branch = nn.Sequential(
            nn.Conv2d(in_channels, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, out_channels, 1, bias=False),
        )
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Branch plus shortcut."""
        x = self.activated(x)
        return self.branch(x) + self.shortcut(x)


class ResidualAttentionNetwork(nn.Module):
    """Attention-56 or Attention-92: a stem, three stages with attention modules, and a fourth without.

    Args:
        modules: attention modules at each of the three stages.
        num_classes: of its own classifier.
        width: channels of the stem; stages have 4, 8, 16 and 32 times as many. 64 is the author's.
        stem: ``"imagenet"``, 7x7 of stride 2 and a pooling; or ``"small"``, 3x3 of stride 1, for images
            of 64 pixels: then stages have 64, 32, 16 and 8 positions a side (ours).
    """

    def __init__(
        self,
        modules: Sequence[int],
        num_classes: int = 1000,
        width: int = 64,
        stem: str = "imagenet",
    ) -> None:
        super().__init__()
        if stem not in STEMS:
            raise UserError(f"attention network: unknown stem {stem!r}{suggest(stem, STEMS)}")
        if width < 1:
            raise UserError(f"attention network: width {width} must be 1 or more")
        small = stem == "small"
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3 if small else 7, 1 if small else 2, 1 if small else 3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            *([] if small else [nn.MaxPool2d(3, 2, ceil_mode=True)]),
        )
        self.stages = nn.Sequential()
        channels = width
        for number, (count, depth) in enumerate(zip(modules, DEPTHS, strict=True)):
            out_channels = EXPANSION * width * 2**number
            unit = ProjectedUnit(channels, out_channels, 1 if number == 0 else 2)
            # A stage's number is the power of two of its stride; stages begin at stride 4, or at 1.
            stage = f"stage{max(1, number + (0 if small else 2))}"
            names = _places(stage, number, count)
            attention = [Placed(AttentionModule(out_channels, depth), name) for name in names]
            self.stages.append(nn.Sequential(unit, *attention))
            channels = out_channels
        out_channels = 2 * channels
        last = [ProjectedUnit(channels, out_channels, 2), *(ResidualUnit(out_channels) for _ in "ab")]
        self.stages.append(nn.Sequential(*last))
        self.norm = nn.Sequential(nn.BatchNorm2d(out_channels), nn.ReLU())
        self.fc = nn.Linear(out_channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward_features(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) -> features (N, 32 width, H / 32, W / 32), or H / 8 after a small stem."""
        return self.norm(self.stages(self.stem(x)))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, num_classes)."""
        return self.fc(self.forward_features(x).mean(dim=(2, 3)))


def _places(stage: str, number: int, count: int) -> list[str]:
    """What the modules of a stage are called: the paper's letter, with a number where it has several."""
    letter = "ABC"[number]
    return [f"{stage}.{letter}{at + 1 if count > 1 else ''}" for at in range(count)]
