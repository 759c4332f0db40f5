"""Stacked hourglasses as a head: heatmaps of the classes, made again and again at one resolution.

Newell, Yang, Deng, "Stacked Hourglass Networks for Human Pose Estimation", ECCV 2016, arXiv 1603.06937;
author code princeton-vl/pose-hg-train, whose modules and counts are followed. There a heatmap is of a
joint and learns its place. Here it is of a class and learns the image's label by its spatial mean
(reading): so it is a class map. The stem before it is `wsol.models.networks.hourglass_stem`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsol.attention.contract import GLOBAL, HeadOutput
from wsol.errors import UserError


class HourglassResidual(nn.Module):
    """The paper's unit: norms first, convolutions with biases; (N, in, h, w) -> (N, out, h, w)."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        hidden = out_channels // 2
        self.branch = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, hidden, 1),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, out_channels, 1),
        )
        alike = channels == out_channels
        self.shortcut = nn.Identity() if alike else nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Branch plus shortcut."""
        return self.branch(x) + self.shortcut(x)


class Hourglass(nn.Module):
    """One hourglass: down ``depth`` times and up again; (N, C, h, w) -> the same.

    ``up1(x) + upsampled(low3(low2(low1(pooled x))))``, low2 the next smaller hourglass.
    """

    def __init__(self, channels: int, depth: int, blocks: int) -> None:
        super().__init__()
        self.beside = _units(channels, blocks)
        self.before = _units(channels, blocks)
        self.inner = Hourglass(channels, depth - 1, blocks) if depth > 1 else _units(channels, blocks)
        self.behind = _units(channels, blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same size."""
        low = self.behind(self.inner(self.before(functional.max_pool2d(x, 2))))
        return self.beside(x) + functional.interpolate(low, scale_factor=2.0, mode="nearest")


class StackedHourglass(nn.Module):
    """Stacked hourglasses (Newell et al., ECCV 2016, arXiv 1603.06937): heatmaps of classes, refined.

    The last stack's heatmaps are the class maps, their means the logits. ``stack_logits`` are those of
    all stacks in the last call, which the method `stacked` learns from.

    Args:
        stage_channels: the stage it follows, to channels.
        num_classes: K heatmaps.
        stacks: hourglasses; each but the first starts from what the one before made of its input.
        blocks: residual units at each place.
        depth: poolings of an hourglass; the features' sides must divide by 2 to that power.

    Raises:
        UserError: less than one of any of them, several stages; features whose sides do not divide.
    """

    insertion = "head"
    at = "-1"

    def __init__(
        self,
        stage_channels: Mapping[str, int],
        num_classes: int,
        stacks: int = 1,
        blocks: int = 1,
        depth: int = 4,
    ) -> None:
        if min(stacks, blocks, depth) < 1:
            raise UserError(
                f"StackedHourglass: stacks {stacks}, blocks {blocks}, depth {depth}: each is 1 or more"
            )
        tapped = [stage for stage in stage_channels if stage != GLOBAL]
        if len(tapped) != 1:
            raise UserError(
                f"StackedHourglass follows one stage, not {', '.join(tapped)}: name one in attention.at"
            )
        super().__init__()
        self.stage, channels = tapped[0], stage_channels[tapped[0]]
        self.depth = depth
        self.hourglasses = nn.ModuleList(
            nn.Sequential(Hourglass(channels, depth, blocks), _units(channels, blocks), *_line(channels))
            for _ in range(stacks)
        )
        self.heatmaps = nn.ModuleList(nn.Conv2d(channels, num_classes, 1) for _ in range(stacks))
        self.features_back = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(stacks - 1))
        self.heatmaps_back = nn.ModuleList(
            nn.Conv2d(num_classes, channels, 1) for _ in range(stacks - 1)
        )
        self.stack_logits: list[Tensor] = []

    def forward(self, stages: Mapping[str, Tensor]) -> HeadOutput:
        """Features {stage: (N, C, h, w)} -> logits (N, K), class maps (N, K, h, w), no further maps."""
        x = stages[self.stage]
        self._check(x)
        logits, heatmaps = [], x
        for number, (hourglass, of_classes) in enumerate(
            zip(self.hourglasses, self.heatmaps, strict=True)
        ):
            features = hourglass(x)
            heatmaps = of_classes(features)
            logits.append(heatmaps.mean(dim=(2, 3)))
            if number < len(self.features_back):
                x = x + self.features_back[number](features) + self.heatmaps_back[number](heatmaps)
        self.stack_logits = logits
        return HeadOutput(logits[-1], heatmaps, {})

    def __getstate__(self) -> dict[str, object]:
        # Of the graph of the last call, which cannot be copied or sent to another process.
        return {**self.__dict__, "stack_logits": []}

    def _check(self, x: Tensor) -> None:
        step = 2**self.depth
        if x.shape[2] % step or x.shape[3] % step:
            raise UserError(
                f"attention StackedHourglass: features of {x.shape[2]}x{x.shape[3]} do not divide by "
                f"{step} (depth {self.depth}): change data.input_size, or take a smaller "
                "attention.options.depth"
            )


def _units(channels: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(HourglassResidual(channels, channels) for _ in range(blocks)))


def _line(channels: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.ReLU()]


def losses_of(head: StackedHourglass, loss: nn.Module, labels: Tensor) -> Tensor:
    """The loss of every stack in the last call, (stacks,)."""
    return torch.stack([loss(logits, labels) for logits in head.stack_logits])
