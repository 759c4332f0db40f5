"""Stacked hourglasses: the author's counts, the recursion step by step, a loss at every stack."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from wsol.attention.hourglass import Hourglass, HourglassResidual, StackedHourglass
from wsol.errors import UserError
from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.recipe import AttentionSettings, BackboneSettings, DataSettings, Recipe

COUNTS = {
    (1, 16): 3_426_448,
    (1, 200): 3_473_736,
    (1, 1000): 3_679_336,
    (2, 16): 6_570_400,
    (2, 200): 6_712_080,
    (2, 1000): 7_328_080,
    (8, 16): 25_434_112,
    (8, 200): 26_142_144,
    (8, 1000): 29_220_544,
}


def recipe(side=32, stem="small", width=16, **options) -> Recipe:
    return Recipe(
        data=DataSettings(input_size=side, resize_size=side),
        backbone=BackboneSettings("hourglass_stem", options={"width": width, "stem": stem}),
        attention=AttentionSettings("hourglass", options=options),
    )


@pytest.mark.parametrize(("stacks", "classes"), COUNTS)
def test_parameters_are_the_authors(stacks, classes):
    with torch.device("meta"):
        localizer = build_localizer(recipe(256, "pose", 256, stacks=stacks), classes)
    found = sum(parameter.numel() for parameter in localizer.parameters())
    assert found == COUNTS[stacks, classes]
    assert localizer.backbone.stage_strides == {"stage1": 2, "stage2": 4}


def test_a_unit_has_the_authors_number_of_parameters():
    assert sum(parameter.numel() for parameter in HourglassResidual(256, 256).parameters()) == 214_528


def test_a_unit_by_its_layers():
    torch.manual_seed(0)
    unit = HourglassResidual(6, 8).eval()
    x = torch.randn(2, 6, 5, 5)
    y = x
    for norm, convolution, reach in ((0, 2, 0), (3, 5, 1), (6, 8, 0)):
        part, layer = unit.branch[norm], unit.branch[convolution]
        y = torch.relu(y / (1 + part.eps) ** 0.5)  # a fresh norm in evaluation mode
        y = functional.conv2d(y, layer.weight, layer.bias, padding=reach)
    shortcut = torch.einsum("oc,nchw->nohw", unit.shortcut.weight[:, :, 0, 0], x)
    expected = y + shortcut + unit.shortcut.bias[:, None, None]
    torch.testing.assert_close(unit(x), expected, rtol=1e-4, atol=1e-5)


def test_the_recursion_step_by_step():
    torch.manual_seed(0)
    outer = Hourglass(4, 2, 1).eval()
    inner = outer.inner
    x = torch.randn(2, 4, 8, 8)

    def pool(y):
        return y.unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(4, 5))

    def twice(y):
        return y.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    half = outer.before(pool(x))
    quarter = inner.behind(inner.inner(inner.before(pool(half))))
    assert quarter.shape[2:] == (2, 2)
    middle = outer.behind(inner.beside(half) + twice(quarter))
    torch.testing.assert_close(outer(x), outer.beside(x) + twice(middle))


def test_stacks_go_on_from_what_the_ones_before_made():
    torch.manual_seed(0)
    localizer = build_localizer(recipe(stacks=3, depth=2), 5).eval()
    head = localizer.head.module
    images = torch.randn(2, 3, 32, 32)
    x = localizer.stage_features(images)["stage1"]
    logits = []
    for number in range(3):
        features = head.hourglasses[number](x)
        heatmaps = head.heatmaps[number](features)
        logits.append(heatmaps.flatten(2).mean(dim=2))
        if number < 2:
            x = x + head.features_back[number](features) + head.heatmaps_back[number](heatmaps)
    output = localizer(images)
    torch.testing.assert_close(output.class_maps, heatmaps)
    torch.testing.assert_close(output.logits, logits[-1])
    torch.testing.assert_close(torch.stack(head.stack_logits), torch.stack(logits))
    assert output.class_maps.shape == (2, 5, 16, 16) and not output.attention


def test_every_stack_has_its_loss():
    torch.manual_seed(0)
    chosen = recipe(stacks=2, depth=2).changed(method={"name": "stacked"})
    method = build_method(chosen, build_localizer(chosen, 3)).train()
    images, labels = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 0])
    output = method(images, labels)
    of_stacks = [nn.CrossEntropyLoss()(one, labels) for one in method.stacked().stack_logits]
    torch.testing.assert_close(output.loss, of_stacks[0] + of_stacks[1])
    assert [float(value) for value in output.log.values()] == pytest.approx(
        [float(one.detach()) for one in of_stacks]
    )
    assert list(output.log) == ["stack1_loss", "stack2_loss"]
    output.loss.backward()
    assert all(one.grad is not None for one in method.parameters())


def test_sides_that_do_not_divide_are_named():
    localizer = build_localizer(recipe(24, depth=3), 3)
    with pytest.raises(UserError, match=r"12x12 do not divide by 8 .*options\.depth"):
        localizer(torch.randn(1, 3, 24, 24))


@pytest.mark.parametrize("options", [{"stacks": 0}, {"depth": 0}, {"blocks": 0}])
def test_less_than_one_is_named(options):
    with pytest.raises(UserError, match="each is 1 or more"):
        build_localizer(recipe(**options), 3)


def test_it_follows_one_stage():
    with pytest.raises(UserError, match="follows one stage, not stage1, stage2"):
        StackedHourglass({"stage1": 8, "stage2": 16, "global": 16}, 3)


def test_the_loss_of_stacks_needs_stacks():
    plain = Recipe(
        data=DataSettings(input_size=32, resize_size=32), backbone=BackboneSettings("small_resnet")
    ).changed(method={"name": "stacked"})
    with pytest.raises(UserError, match="--attention hourglass"):
        build_method(plain, build_localizer(plain, 3))


@pytest.mark.parametrize(("options", "message"), [({"stem": "pos"}, "'pose'"), ({"width": 12}, "of 8")])
def test_bad_stems_are_named(options, message):
    with pytest.raises(UserError, match=message):
        build_localizer(recipe(**options), 3)
