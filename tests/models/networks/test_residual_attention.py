"""Attention-56 and -92: the author's parameter counts, and the module step by step."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.models.networks.by_name import create_network
from wsol.models.networks.residual_attention import AttentionModule, ProjectedUnit
from wsol.recipe import BackboneSettings, DataSettings, Recipe


def count(modules) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


@pytest.mark.parametrize(
    ("name", "expected"), [("attention56", 31_810_728), ("attention92", 52_466_344)]
)
def test_parameters_are_the_authors(name, expected):
    with torch.device("meta"):
        network = create_network(name, {})
    assert count([network]) == expected


def test_parameters_of_the_parts_are_the_authors():
    with torch.device("meta"):
        network = create_network("attention56", {})
        modules = [
            AttentionModule(channels, depth) for channels, depth in ((256, 3), (512, 2), (1024, 1))
        ]
    assert [count([module]) for module in modules] == [976_896, 3_046_912, 8_804_352]
    parts = list(network.modules())
    assert count(part for part in parts if isinstance(part, nn.Conv2d)) == 29_689_024
    assert count(part for part in parts if isinstance(part, nn.BatchNorm2d)) == 72_704
    assert count([network.fc]) == 2_049_000


def test_the_module_of_three_levels_step_by_step():
    """In the order of the author's file: three times down, twice up with a skip, and up once more."""
    torch.manual_seed(0)
    module = AttentionModule(8, 3).eval()
    x = torch.randn(2, 8, 14, 14)
    one, two, three = module.mask, module.mask.below, module.mask.below.below

    def pool(y):
        return functional.max_pool2d(y, 3, 2, ceil_mode=True)

    def up(y, like):
        return functional.interpolate(y, like.shape[2:], mode="bilinear")

    first = module.first(x)
    down1 = one.down(pool(first))
    down2 = two.down(pool(down1))
    deepest = three.up(three.down(pool(down2)))
    assert [y.shape[2] for y in (first, down1, down2, deepest)] == [14, 7, 3, 1]
    up2 = two.up(up(deepest, down2) + two.skip(down2))
    up1 = one.up(up(up2, down1) + one.skip(down1))
    mask = torch.sigmoid(module.gate(up(up1, first)))
    trunk = module.trunk(first)
    features, shown = module(x)
    torch.testing.assert_close(shown[""], mask)
    torch.testing.assert_close(shown["product"], (mask * trunk).abs())
    torch.testing.assert_close(features, module.last(trunk + mask * trunk))


@pytest.mark.parametrize("stride", [1, 2])
def test_the_projection_starts_from_the_activated_input(stride):
    torch.manual_seed(0)
    unit = ProjectedUnit(6, 8, stride).eval()
    for part in unit.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.5, 0.5)
    x = torch.randn(2, 6, 9, 9)

    def norm(y, part):
        return torch.relu(
            functional.batch_norm(y, part.running_mean, part.running_var, part.weight, part.bias)
        )

    before = norm(x, unit.activated[0])
    y = norm(functional.conv2d(before, unit.branch[0].weight), unit.branch[1])
    y = norm(functional.conv2d(y, unit.branch[3].weight, stride=stride, padding=1), unit.branch[4])
    expected = functional.conv2d(y, unit.branch[6].weight)
    expected = expected + functional.conv2d(before, unit.shortcut.weight, stride=stride)
    torch.testing.assert_close(unit(x), expected)


def small(name="attention56", **options) -> Recipe:
    return Recipe(
        data=DataSettings(input_size=64, resize_size=64),
        backbone=BackboneSettings(name, options={"width": 4, "stem": "small", **options}),
    )


def test_its_own_masks_are_the_localizers_maps():
    localizer = build_localizer(small("attention92"), 3)
    output = localizer(torch.randn(2, 3, 64, 64))
    masks = [name for name in output.attention if not name.endswith("product")]
    assert masks == ["stage1.A", "stage1.B1", "stage1.B2", "stage2.C1", "stage2.C2", "stage2.C3"]
    assert [output.attention[name].shape[1] for name in masks] == [64, 32, 32, 16, 16, 16]
    assert localizer.default_map == "stage2.C3"
    assert output.class_maps.shape == (2, 3, 8, 8)
    attention = localizer.parameter_groups()["attention"]
    modules = [part for part in localizer.modules() if isinstance(part, AttentionModule)]
    assert sum(one.numel() for one in attention) == count(modules)


def test_a_critic_judges_its_masks():
    from wsol.methods.build import build_method

    recipe = small()
    localizer = build_localizer(recipe, 3)
    method = build_method(recipe.changed(method={"name": "dreal"}), localizer)
    assert method.actors.names == ("stage1.A", "stage1.B", "stage2.C")
    assert method.chances(torch.randn(2, 3, 64, 64), torch.tensor([0, 1])).p.shape == (4, 2)


def test_another_attention_stands_beside_its_own():
    localizer = build_localizer(small().changed(attention={"name": "rfga"}), 3)
    assert list(localizer.placed) == ["stage1.A", "stage1.B", "stage2.C", "stage3"]
    assert localizer.default_map == "stage3"


@pytest.mark.parametrize(
    ("options", "message"), [({"stem": "smal"}, "'small'"), ({"width": 0}, "1 or more")]
)
def test_bad_options_are_named(options, message):
    with pytest.raises(UserError, match=message):
        build_localizer(small(**options), 3)
