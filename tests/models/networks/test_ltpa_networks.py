"""LTPA's own networks: shapes of the taps and parameter counts added up by hand."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from wsol.attention.contract import GLOBAL
from wsol.attention.ltpa import LTPA
from wsol.errors import UserError
from wsol.models.networks.ltpa_networks import PreActivationBottleneck, ResNet164Att, VGGAtt


def shapes(network: nn.Module, side: int) -> dict[str, tuple[int, ...]]:
    found = network.to("meta").eval()(torch.empty(2, 3, side, side, device="meta"))
    return {name: tuple(one.shape) for name, one in found.items()}


@pytest.mark.parametrize("side", [32, 80])
def test_taps_of_the_vgg(side):
    with torch.device("meta"):
        network = VGGAtt(side)
    assert shapes(network, side) == {
        "L1": (2, 256, side, side),
        "L2": (2, 512, 16, 16),
        "L3": (2, 512, 8, 8),
        GLOBAL: (2, 512, 1, 1),
    }


@pytest.mark.parametrize("side", [32, 80])
def test_taps_of_the_resnet(side):
    with torch.device("meta"):
        network = ResNet164Att(side)
    assert shapes(network, side) == {
        "L1": (2, 64, side, side),
        "L2": (2, 128, side // 2, side // 2),
        "L3": (2, 256, side // 4, side // 4),
        GLOBAL: (2, 256, 1, 1),
    }


@pytest.mark.parametrize("make", [VGGAtt, lambda: ResNet164Att(depth=11)])
def test_stage_channels_are_what_comes_out(make):
    network = make().eval()
    found = network(torch.rand(1, 3, 32, 32))
    assert {name: one.shape[1] for name, one in found.items()} == network.stage_channels


def test_parameters_of_the_vgg():
    widths = [3, 64, 64, 128, 128, *[256] * 3, *[512] * 6, 512, 512]
    convolutions = sum(9 * a * b + b for a, b in itertools.pairwise(widths))
    norms = 2 * sum(widths[1:])
    with torch.device("meta"):
        network = VGGAtt()
    assert count(network) == convolutions + norms + 512 * 512 + 512
    kinds = [type(part).__name__ for part in network.modules()]
    assert kinds.count("Conv2d") == 15
    # 0.3 once; 0.4 in the blocks' insides and after both single convolutions; 0.5 before g.
    rates = sorted(part.p for part in network.modules() if isinstance(part, nn.Dropout))
    assert rates == [0.3, *[0.4] * 9, 0.5]


def test_depth_of_the_resnet():
    with torch.device("meta"):
        network = ResNet164Att()
    main = [
        part for name, part in network.named_modules()
        if isinstance(part, nn.Conv2d) and "shortcut" not in name and GLOBAL not in name
    ]  # fmt: skip
    # The stem, 54 bottlenecks of three; the classifier is the 164th layer.
    assert len(main) == 163


@pytest.mark.parametrize(("out", "stride"), [(16, 1), (32, 2)])
def test_a_pre_activation_bottleneck_written_out(out, stride):
    block = PreActivationBottleneck(16, out, stride).eval()
    for part in block.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_()
    x = torch.randn(2, 16, 6, 6)
    active = torch.relu(block.first[0](x))
    conv1, norm1, _, conv2, norm2, _, conv3 = block.branch
    branch = conv3(torch.relu(norm2(conv2(torch.relu(norm1(conv1(active)))))))
    # The shortcut is the bare input where the width stays, else a convolution of the activated input.
    shortcut = x if out == 16 else block.shortcut(active)
    torch.testing.assert_close(block(x), branch + shortcut)
    assert branch.shape == (2, out, 6 // stride, 6 // stride)


def test_norms_of_the_vgg_have_torchs_epsilon_of_old():
    with torch.device("meta"):
        network = VGGAtt()
    assert {part.eps for part in network.modules() if isinstance(part, nn.BatchNorm2d)} == {1e-3}


def test_convolutions_start_as_in_the_author_code():
    layer = VGGAtt().stages["L2"][1]
    assert isinstance(layer, nn.Conv2d)
    assert layer.weight.std().item() == pytest.approx((2 / (9 * 512)) ** 0.5, rel=0.01)
    assert not layer.bias.any()


def test_the_papers_att3_head_on_its_vgg_learns_from_all_parts():
    torch.manual_seed(0)
    network = VGGAtt()
    head = LTPA(network.stage_channels, 10, author_head=True)
    logits = head(network(torch.rand(2, 3, 32, 32))).logits
    nn.functional.cross_entropy(logits, torch.tensor([2, 7])).backward()
    parameters = [*network.named_parameters(), *head.named_parameters()]
    assert [name for name, parameter in parameters if parameter.grad is None] == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VGGAtt(40), "multiple of 16"),
        (lambda: ResNet164Att(depth=160), "9 n"),
        (lambda: ResNet164Att(30), "multiple of 8"),
        (lambda: VGGAtt()(torch.rand(1, 3, 64, 64)), "side 32"),
    ],
)
def test_impossible_sizes_are_named(make, message):
    with pytest.raises(UserError, match=message):
        make()


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
