"""A stage that works on tokens inside and takes and gives maps, and what travels beside the maps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class Aside:
    """What one forward pass carries beside the maps; made anew for each pass, kept on no module.

    Attributes:
        prefix: (N, P, C), the tokens that belong to no place of the image (class, distillation and
            register tokens, in the network's order) as the last stage has given them; None where the
            network has none.
    """

    prefix: Tensor | None = None


class TokenStage(nn.Module, ABC):
    """Maps (N, C, h, w), or images, to maps; what has no place in the image goes through ``aside``."""

    @abstractmethod
    def forward(self, x: Tensor, aside: Aside | None = None) -> Tensor:
        """Maps of the stage; ``aside.prefix`` is read and written. Without one nothing is kept."""


def through(stage: nn.Module, x: Tensor, aside: Aside) -> Tensor:
    """One stage of a pass: token stages see what travels beside the maps, others the maps alone."""
    return stage(x, aside) if isinstance(stage, TokenStage) else stage(x)


def joined(prefix: Tensor | None, tokens: Tensor) -> Tensor:
    """Prefix tokens (N, P, C) or None before tokens (N, T, C), as networks hold them."""
    return tokens if prefix is None else torch.cat([prefix, tokens], dim=1)


def split(tokens: Tensor, prefix: int) -> tuple[Tensor | None, Tensor]:
    """The first ``prefix`` tokens, None for no token, and the others."""
    return (tokens[:, :prefix], tokens[:, prefix:]) if prefix else (None, tokens)
