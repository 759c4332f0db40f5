"""What stands before stacked hourglasses: from the image to features of a quarter of its side.

Newell, Yang, Deng, ECCV 2016, arXiv 1603.06937; author code princeton-vl/pose-hg-train.
"""

from __future__ import annotations

from torch import Tensor, nn

from wsol.attention.hourglass import HourglassResidual
from wsol.errors import UserError, suggest

STEMS = ("pose", "small")


class HourglassStem(nn.Module):
    """A convolution, three residual units and a pooling; the hourglasses are the head `hourglass`.

    Args:
        width: channels it ends with; the units before have a quarter and a half. 256 is the author's.
        stem: ``"pose"``: 7x7 of stride 2, so that images of 256 pixels become 64; or ``"small"``: 3x3 of
            stride 1, so that images of 64 pixels become 32 (ours).
    """

    def __init__(self, width: int = 256, stem: str = "pose") -> None:
        super().__init__()
        if stem not in STEMS:
            raise UserError(f"hourglass_stem: unknown stem {stem!r}{suggest(stem, STEMS)}")
        if width < 8 or width % 8:
            raise UserError(f"hourglass_stem: width {width} must be a multiple of 8")
        size, stride = (7, 2) if stem == "pose" else (3, 1)
        quarter, half = width // 4, width // 2
        self.stem = nn.Sequential(
            nn.Conv2d(3, quarter, size, stride, padding=size // 2),
            nn.BatchNorm2d(quarter),
            nn.ReLU(),
            HourglassResidual(quarter, half),
        )
        self.narrow = nn.Sequential(
            nn.MaxPool2d(2), HourglassResidual(half, half), HourglassResidual(half, width)
        )

    def forward_features(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) -> features (N, width, H / 4, W / 4), or H / 2 after a small stem."""
        return self.narrow(self.stem(x))

    forward = forward_features
