"""The fairness control: as many parameters as an attention module has, but no attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsol.errors import UserError


class Plain(nn.Module):
    """Parameter-matched control: a residual 1x1 bottleneck, which looks at no other position.

    A row with attention is compared with this one: the difference then comes from the attention and not
    from the number of parameters. Ours, of no paper: ``x + W2 ReLU(BN(W1 x))``, W2 zero at the start.

    Args:
        channels: C of the features (N, C, h, w).
        parameters: how many to have; the width is chosen to come nearest. 0 means those of `RFGA`.
    """

    insertion = "stage"
    at = "-1"
    identity_start = True

    def __init__(self, channels: int, parameters: int = 0) -> None:
        super().__init__()
        wanted = parameters or 6 * channels**2 + 6 * channels + 3
        # Width w costs C w + 2 w + w C.
        width = round(wanted / (2 * channels + 2))
        if width < 1:
            raise UserError(f"plain: {wanted} parameters are fewer than {channels} channels can have")
        self.reduce = nn.Conv2d(channels, width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.expand = nn.Conv2d(width, channels, 1, bias=False)
        nn.init.zeros_(self.expand.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, C, h, w) to the same shape."""
        return x + self.expand(torch.relu(self.norm(self.reduce(x))))
