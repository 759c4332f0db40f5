"""Parameters, multiply-adds and map sizes against counts by hand and published ones."""

from __future__ import annotations

import pytest
import torch

from wsol.models.cost import cost
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe


def built(name: str, num_classes: int, **settings):
    with torch.device("meta"):
        return build_localizer(Recipe.from_dict({"backbone": {"name": name}, **settings}), num_classes)


def test_small_resnet_by_hand():
    # (input channels, output channels, kernel, output side) of every convolution at 64 pixels.
    convolutions = [(3, 16, 3, 64), (16, 16, 3, 64), (16, 16, 3, 64)]
    for narrow, wide, side in ((16, 32, 32), (32, 64, 16), (64, 96, 8)):
        convolutions += [(narrow, wide, 3, side), (wide, wide, 3, side), (narrow, wide, 1, side)]
    convolutions.append((96, 10, 1, 8))
    expected = sum(narrow * wide * kernel**2 * side**2 for narrow, wide, kernel, side in convolutions)
    weights = sum(narrow * wide * kernel**2 for narrow, wide, kernel, _ in convolutions)
    norms = 2 * sum(wide for _, wide, _, _ in convolutions[:-1])
    found = cost(built("small_resnet", 10), 64)
    assert found["gflops"] == pytest.approx(expected / 1e9)
    assert found["params"] == weights + norms + 10
    assert found["map_size"] == [8, 8]


def test_resnet50_as_published():
    # 4.12 in TDAM's table, 4.09 in torchvision's: the rest is norms and poolings, left out here. The
    # classifier looks at 49 positions here instead of their average.
    found = cost(built("resnet50", 1000), 224)
    assert found["params"] == 25_557_032
    assert found["gflops"] == pytest.approx(4.09 + 48 * 2048 * 1000 / 1e9, abs=0.005)
    assert found["map_size"] == [7, 7]


def test_a_head_without_class_maps_gives_the_features_size():
    localizer = built("small_resnet", 10, attention={"name": "ltpa", "options": {"author_head": True}})
    assert cost(localizer, 64)["map_size"] == [8, 8]


def test_class_maps_that_make_no_logits_are_not_counted():
    few, many = (built("small_resnet", k, attention={"name": "ltpa"}) for k in (10, 110))
    # 100 classes more cost one row each of the linear layer over both descriptors, 64 and 96 wide.
    more = cost(many, 64)["gflops"] - cost(few, 64)["gflops"]
    assert more == pytest.approx(100 * (64 + 96) / 1e9)


def test_the_localizer_stays_as_it_was():
    localizer = build_localizer(Recipe.from_dict({"backbone": {"name": "small_resnet"}}), 10).train()
    cost(localizer, 64)
    assert localizer.training
    assert {parameter.device.type for parameter in localizer.parameters()} == {"cpu"}


def test_senet_has_resnet50s_parameters_and_those_of_its_gates():
    """A gate of C channels: C to C / 16 and back, each with biases."""
    gates = sum(
        blocks * (2 * width * width // 16 + width // 16 + width)
        for width, blocks in ((256, 3), (512, 4), (1024, 6), (2048, 3))
    )
    plain, senet = (cost(built(name, 1000), 224)["params"] for name in ("resnet50", "seresnet50"))
    assert senet == plain + gates == 28_088_024
