"""Blocks of the libraries' other networks: with one step, and with gates of one, they are themselves."""

from __future__ import annotations

import copy

import pytest
import timm
import torch
from torch import nn
from torchvision import models

from wsol.attention.tdam import TDAM
from wsol.errors import UserError
from wsol.models.backbone import as_stages
from wsol.models.insertion.feedback import with_feedback
from wsol.models.insertion.placement import insert_gates
from wsol.models.networks.residual_blocks import plan_of, residual_blocks
from wsol.recipe import BackboneSettings


class Open(nn.Module):
    """A gate that lets everything through, and knows how many channels it was promised."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x):
        return x * self.factor


def network(name: str) -> nn.Module:
    torch.manual_seed(3)
    library, _, bare = name.partition(":")
    made = timm.create_model(bare) if library == "timm" else models.get_model(bare, weights=None)
    for part in made.modules():  # zero norms at the end of a branch would hide it
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            part.running_mean.normal_(std=0.1)
    return made.eval()


FEEDBACK = [
    "timm:regnetx_002", "torchvision:regnet_x_400mf", "timm:res2net50_26w_4s", "timm:xception",
    "torchvision:mnasnet0_5", "torchvision:efficientnet_v2_s", "timm:resnet18d", "timm:resnext50_32x4d",
    "timm:mobilenetv3_small_050",
]  # fmt: skip
GATES = [
    "timm:regnety_002", "timm:convnext_atto", "torchvision:convnext_tiny", "timm:efficientnetv2_rw_t",
    "torchvision:mobilenet_v3_small", "timm:densenet121", "timm:ghostnet_050", "timm:repvgg_a0",
    "torchvision:shufflenet_v2_x0_5", "timm:mobilenetv4_conv_small", "torchvision:efficientnet_b0",
    "timm:xception41", "timm:skresnet18", "timm:resnest14d",
]  # fmt: skip


@pytest.mark.parametrize("name", FEEDBACK)
def test_with_one_step_the_network_is_the_librarys(name):
    whole = network(name)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = copy.deepcopy(whole)(images)
    feedback, parameters = [], sum(one.numel() for one in whole.parameters())
    for path in residual_blocks(whole, [child for child, _ in whole.named_children()]):
        try:
            block = with_feedback(whole.get_submodule(path), TDAM).eval()
        except UserError as error:
            assert "has channel attention inside" in str(error)
            continue
        whole.set_submodule(path, block)
        feedback.append(block)
    assert feedback
    added = sum(
        one.numel() for block in feedback for part in (block.attention, block.step_norms)
        for one in part.parameters()
    )  # fmt: skip
    assert sum(one.numel() for one in whole.parameters()) == parameters + added
    for block in feedback:
        block.steps = 1
    with torch.no_grad():
        torch.testing.assert_close(whole(images), expected, rtol=1e-5, atol=1e-5)
    for block in feedback:
        block.steps = 2
    found = whole(images)
    assert not torch.allclose(found, expected)
    found.square().mean().backward()
    assert all(one.grad is not None for block in feedback for one in block.parameters())


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("gated", ["branch", "expansion"])
def test_open_gates_leave_the_network_as_it_is_and_closed_ones_do_not(name, gated):
    images = torch.randn(2, 3, 64, 64)
    backbone = as_stages(network(name), BackboneSettings(name=name)).eval()
    with torch.no_grad():
        expected = backbone(images)
        gates = insert_gates(backbone, [backbone.numbered[-1]], gated, Open)
        torch.testing.assert_close(backbone(images), expected, rtol=1e-5, atol=1e-5)
        for gate in gates.values():
            gate.module.factor.zero_()
        assert not torch.allclose(backbone(images), expected)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("timm:convnext_atto", "ConvNeXtBlock has its norm before its convolutions"),
        ("timm:regnety_002", r"Bottleneck has channel attention inside \(se: SqueezeExcite|SEModule\)"),
        ("torchvision:shufflenet_v2_x0_5", "InvertedResidual joins its features"),
    ],
)
def test_where_feedback_has_no_place_the_words_say_why(name, words):
    whole = network(name)
    path = next(residual_blocks(whole, [child for child, _ in whole.named_children()]))
    with pytest.raises(UserError, match=words):
        plan_of(whole.get_submodule(path))
