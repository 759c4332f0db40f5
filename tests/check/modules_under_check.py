"""A good attention module, and bad ones: each breaks the contract in one way."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from wsol.attention.contract import Attended


class Good(nn.Module):
    def __init__(self, channels, scale=1.0):
        super().__init__()
        self.score = nn.Conv2d(channels, 1, 1)
        self.scale = scale

    def forward(self, x):
        gate = self.score(x).sigmoid()
        return Attended(x * (1 + self.scale * gate), gate[:, 0])


class Shrinks(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3)

    def forward(self, x):
        return self.conv(x)


class Widens(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, 2 * channels, 1)

    def forward(self, x):
        return self.conv(x)


class BreaksUnderEval(Good):
    def forward(self, x):
        if not self.training:
            return x * self.gate_of_training
        self.gate_of_training = self.score(x).sigmoid()
        return x * self.gate_of_training


class IsNoIdentity(Good):
    identity_start = True


class HasUnused(Good):
    def __init__(self, channels):
        super().__init__(channels)
        self.forgotten = nn.Linear(channels, 1)


class DeclaresUnused(HasUnused):
    def parameters_without_gradient(self):
        return {"forgotten.weight", "forgotten.bias"}


class DrawsOutsideTheSeed(Good):
    def forward(self, x):
        return x * self.score(x).sigmoid() * float(np.random.default_rng().uniform(0.5, 1.5))


class DrawsAtTest(Good):
    def forward(self, x):
        return x * self.score(x).sigmoid() + torch.rand_like(x)


class ForgetsOnSaving(Good):
    def __init__(self, channels):
        super().__init__(channels)
        self.offset = torch.randn(())

    def forward(self, x):
        return x * (self.score(x) + self.offset).sigmoid()


class DetachesItsInput(Good):
    def forward(self, x):
        return self.score(x.detach()).sigmoid().expand_as(x) + 0 * self.scale


class GivesNaN(Good):
    def forward(self, x):
        return x * (-1 - self.score(x).square()).sqrt()


class GivesNaNAtTest(Good):
    def forward(self, x):
        return x * self.score(x).sigmoid() / float(self.training or "nan")


class CutsTheGraph(Good):
    def forward(self, x):
        return (x * self.score(x).sigmoid()).detach()


class LeavesTorch(Good):
    def forward(self, x):
        return torch.from_numpy((x * self.score(x).sigmoid()).detach().numpy())


class MixesTheBatch(Good):
    def forward(self, x):
        return x * self.score(x - x.mean(dim=0, keepdim=True)).sigmoid()


class OverflowsInBf16(Good):
    def forward(self, x):
        return x.float() * (1000 * self.score(x).float()).sin()


class NeedsNine(Good):
    at = "stage9"


class ReturnsATuple(Good):
    def forward(self, x):
        return x, x.mean(dim=1)


class FlatMap(Good):
    def forward(self, x):
        return Attended(x * self.score(x).sigmoid(), x.mean(dim=(1, 2, 3)))


class NeedsValues(Good):
    def forward(self, x):
        return x * (1 + self.score(x).sigmoid() * float(bool(x.detach().sum() > 0)))


class TakesTwo(nn.Module):
    def __init__(self, channels, width):
        super().__init__()


class FailsToBuild(Good):
    def __init__(self, channels):
        raise TypeError("no way")


class WrongGrid(Good):
    def forward(self, x):
        return Attended(x, x.new_zeros(len(x), 9, 1))


class NamesNoMapOfItsOwn(Good):
    default_map = "nope"


class NoForward(nn.Module):
    def __init__(self, channels):
        super().__init__()
