"""Spatial transformer: the network looks at a window of its input, and says where that is.

Jaderberg, Simonyan, Zisserman, Kavukcuoglu, "Spatial Transformer Networks", NIPS 2015, arXiv 1506.02025;
the localizer is that of PyTorch's tutorial.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsol.attention.warps import Warped, in_float32, inside, warped
from wsol.errors import UserError, suggest

LOCALIZERS = ("tutorial", "small")
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
LEAST = 28  # pixels a side that the tutorial's convolutions need


class SpatialTransformer(nn.Module):
    """Spatial transformer (Jaderberg et al., NIPS 2015, arXiv 1506.02025): features of a window alone.

    A small network gives theta (N, 2, 3), starting as the identity; features are sampled at
    ``theta (x, y, 1)``. The window's box needs no threshold: ``--maps window``. All maps behind it are
    pulled back to the image. The map shown is the window, 1 inside and 0 outside. Its localizer wants a
    lower rate than the network, ``training.attention_lr``: on digits a network at 0.003 learned nothing,
    with 0.0001 there it did.

    Args:
        channels: C of what is warped, (N, C, h, w); 3 at the place ``input``.
        localizer: ``"tutorial"``, for sides from 28 on: 7x7 and 5x5 convolutions, each with a pooling;
            or ``"small"``: two padded 3x3 convolutions, for feature maps (ours). Then 3 x 3 means (in
            the tutorial's 28 x 28 images they are the features themselves), and two layers.
        scale: of the window's side over the whole, and it only moves; 0 leaves theta whole. The paper's
            birds were looked at with 0.5.

    Raises:
        UserError: an unknown localizer, a scale outside 0 to 1; sides below 28 for the tutorial's.
    """

    insertion = "stage"
    at = "input"
    identity_start = True

    def __init__(self, channels: int, localizer: str = "tutorial", scale: float = 0.0) -> None:
        super().__init__()
        if localizer not in LOCALIZERS:
            raise UserError(
                f"SpatialTransformer: unknown localizer {localizer!r}{suggest(localizer, LOCALIZERS)}"
            )
        if not 0 <= scale <= 1:
            raise UserError(f"SpatialTransformer: scale {scale} must be from 0 to 1")
        self.tutorial, self.scale = localizer == "tutorial", scale
        # With a fixed scale a fresh module does change what it sees.
        self.identity_start = scale in (0, 1)
        if self.tutorial:
            layers = [nn.Conv2d(channels, 8, 7), nn.MaxPool2d(2), nn.ReLU()]
            layers += [nn.Conv2d(8, 10, 5), nn.MaxPool2d(2), nn.ReLU()]
        else:
            layers = [nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU()]
            layers += [nn.Conv2d(8, 10, 3, padding=1), nn.ReLU()]
        self.seeing = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(3))
        self.deciding = nn.Sequential(nn.Linear(90, 32), nn.ReLU(), nn.Linear(32, 6))
        last = self.deciding[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        with torch.no_grad():
            last.bias.copy_(torch.tensor(IDENTITY))

    def theta(self, x: Tensor) -> Tensor:
        """The warp of features (N, C, h, w), (N, 2, 3) float32."""
        if self.tutorial and min(x.shape[2:]) < LEAST:
            raise UserError(
                f"attention SpatialTransformer: the tutorial's localizer needs {LEAST} pixels a side, "
                f"these features have {x.shape[2]}x{x.shape[3]}: choose options.localizer small"
            )
        seen, last = self.seeing(x).flatten(1), self.deciding[-1]
        assert isinstance(last, nn.Linear)
        with in_float32(x):
            theta = self.deciding(seen.to(last.weight.dtype)).float().view(-1, 2, 3)
        if not self.scale:
            return theta
        fixed = self.scale * torch.eye(2, device=theta.device).expand(len(theta), 2, 2)
        return torch.cat([fixed, theta[:, :, 2:]], dim=2)

    def forward(self, x: Tensor) -> Warped:
        """Features of the window, the window as a map (N, h, w), and theta."""
        theta = self.theta(x)
        window = inside(theta.detach(), x.shape[2:]).to(x.dtype)
        return Warped(warped(x, theta), window, theta)
