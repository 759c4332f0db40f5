"""ADL, the attention-based dropout layer (Choe, Shim, CVPR 2019, arXiv 1908.10028)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsol.attention.contract import Attended


class ADL(nn.Module):
    """ADL (Choe, Shim, CVPR 2019, arXiv 1908.10028): hides or weighs where the channel mean is high.

    In training one draw for the whole batch chooses between the drop mask (0 where the channel mean
    reaches ``drop_threshold`` times its maximum in that image) and the importance map (its sigmoid).
    At test the features pass unchanged. No parameters. The map shown is the importance map.

    Args:
        channels: C of the features (N, C, h, w); unused, as the module has no weights.
        drop_rate: chance that a batch gets the drop mask.
        drop_threshold: share of the maximum from which positions are dropped.
    """

    insertion = "stage"
    # On any backbone after the last two stages. The reference's own places, which its configs here name:
    # ResNet50 after layer3[0], layer4[0] and layer4[2] (stage4.0, stage5.0, stage5.2); VGG16 before
    # conv4_1, after conv4_3 and conv5_3 (stage3, stage4.2, stage5.2); InceptionV3 after Mixed_5d,
    # Mixed_6e and the second convolution of a head without dropout (stage3, stage4, head).
    at = ("-2", "-1")
    # A fresh module changes nothing at test; in training it never does.
    identity_start = True

    def __init__(self, channels: int, drop_rate: float = 0.75, drop_threshold: float = 0.9) -> None:
        super().__init__()
        self.drop_rate = drop_rate
        self.drop_threshold = drop_threshold

    def forward(self, x: Tensor, draw: Tensor | None = None) -> Attended:
        """Features (N, C, h, w) and the importance map (N, h, w) in (0, 1).

        ``draw`` is a uniform number in [0, 1); without it torch's generator gives one, so that
        ``torch.manual_seed`` repeats a run.
        """
        mean = x.mean(dim=1, keepdim=True)
        importance = mean.sigmoid()
        if not self.training:
            return Attended(x, importance[:, 0])
        if draw is None:
            draw = torch.rand((), device=x.device)
        keep = (mean < self.drop_threshold * mean.amax(dim=(2, 3), keepdim=True)).to(x.dtype)
        # A tensor chooses, not an `if`: no wait for the device, no break in a compiled graph.
        chosen = torch.where(torch.floor(draw + self.drop_rate) == 1, keep, importance)
        return Attended(x * chosen, importance[:, 0])
