"""Attention that is the head: it reads several stages and classifies by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from wsol.attention.contract import GLOBAL, HeadOutput


class TappedHead(nn.Module):
    """A `head` attention module and the stages it taps, shallow first.

    Where the backbone goes on after the last tap (``has_global``), the average of its last features is
    the vector of the whole image, and follows the taps under ``GLOBAL`` (N, C, 1, 1).
    """

    def __init__(self, module: nn.Module, taps: Sequence[str], *, has_global: bool) -> None:
        super().__init__()
        self.module = module
        self.taps = tuple(taps)
        self.has_global = has_global

    def forward(self, stages: Mapping[str, Tensor]) -> HeadOutput:
        """Features of the stages, the backbone's last ones last, to what the module says of them."""
        return self.module(self.tapped(stages))

    def tapped(self, stages: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the module gets: the features of its taps, and the vector of the whole image."""
        tapped = {tap: stages[tap] for tap in self.taps}
        if self.has_global:
            tapped[GLOBAL] = list(stages.values())[-1].mean(dim=(2, 3), keepdim=True)
        return tapped
