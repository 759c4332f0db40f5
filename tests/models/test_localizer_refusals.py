"""Modules and places that no localizer can be built of are named in one line."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from wsol.attention.contract import Attended
from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe


class Doubling(nn.Module):
    """A stage module: twice the features; its map is what it saw."""

    def __init__(self, channels: int, factor: float = 2.0) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x: Tensor) -> Attended:
        return Attended(self.factor * x, x)


class Gate(Doubling):
    insertion = "block"
    at = ("-1",)


class Feedback(nn.Module):
    insertion = "feedback"

    def __init__(self, bottom_channels: int, top_channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(top_channels, bottom_channels, 1)

    def forward(self, bottom: Tensor, top: Tensor) -> Attended:
        vector = self.mix(top.mean(dim=(2, 3), keepdim=True))
        return Attended(bottom * torch.sigmoid(vector), bottom.mean(dim=1))


class Halving(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, ::2, ::2]


class Naming(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, x: Tensor):
        return {"features": x}


class FlatMap(Doubling):
    def forward(self, x: Tensor) -> Attended:
        return Attended(x, x.flatten(1))


MODULES = {item.__name__: item for item in (Doubling, Gate, Feedback, Halving, Naming, FlatMap)}


IMAGES = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)


@pytest.mark.parametrize(
    ("attention", "message"),
    [
        ("Halving", r"Halving at stage3 .* expected \(2, 96, 4, 4\) .* found \(2, 96, 2, 2\)"),
        ("Naming", "Naming at stage3 returns dict"),
        ("FlatMap", r"attention map stage3 has shape \(2, 1536\)"),
    ],
)
def test_a_module_that_breaks_the_contract_is_named(localizer, attention, message):
    with pytest.raises(UserError, match=message):
        localizer(attention)(IMAGES)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"attention": "Doubling", "at": ["stage5"]},
            "no stage 'stage5': there are stage1, stage2, stage3",
        ),
        ({"attention": "Doubling", "options": {"facto": 1}}, "no option 'facto': did you mean 'factor'"),
        ({"attention": "Gate", "at": ["stage3.7"]}, "no block 'stage3.7': there are stage3.0"),
        (
            {"attention": "Gate", "backbone": "squeezenet1_1"},
            r"squeezenet1_1: blocks of this kind are not known here \(.*squeezenet Fire",
        ),
        ({"attention": "Feedback", "at": ["stage3.1"]}, "stage3"),
    ],
)
def test_wrong_places_and_options(localizer, settings, message):
    with pytest.raises(UserError, match=message):
        localizer(**settings)


def test_images_too_small_for_the_network_are_named():
    recipe = Recipe.from_dict({"backbone": {"name": "vgg16"}, "data": {"input_size": 16}})
    with pytest.raises(UserError, match=r"vgg16 does not take images of 16 pixels .* too small"):
        build_localizer(recipe, 4)
