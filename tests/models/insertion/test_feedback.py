"""Feedback inside blocks of every kind: T = 1 is the block itself, T = 2 is the loop written out."""

from __future__ import annotations

import copy

import pytest
import timm
import torch
from torch import nn

from wsol.attention.contract import Attended
from wsol.attention.tdam import TDAM
from wsol.errors import UserError
from wsol.models.insertion.feedback import insert_feedback, with_feedback
from wsol.models.insertion.feedback_block import feedback_blocks, lowered_steps
from wsol.models.networks.residual_blocks import BlockPlan, Unit
from wsol.models.networks.small_resnet import ResidualBlock


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(5)


def randomised(module: nn.Module) -> nn.Module:
    """Norms away from their start: timm's last weight of a block is zero, which would hide it."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias)
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2.0)
    return module.eval()


def torchvision_block(kind: str, out: int = 16) -> nn.Module:
    from torchvision.models import mobilenetv2, resnet

    if kind == "BasicBlock":
        return resnet.BasicBlock(16, 16)
    if kind == "Bottleneck":
        return resnet.Bottleneck(16, 4)
    return mobilenetv2.InvertedResidual(16, out, stride=1, expand_ratio=3)


def timm_block(kind: str) -> nn.Module:
    from timm.models import _efficientnet_blocks, resnet

    if kind == "BasicBlock":
        return resnet.BasicBlock(16, 16)
    if kind == "Bottleneck":
        return resnet.Bottleneck(16, 4)
    return _efficientnet_blocks.InvertedResidual(16, 16, exp_ratio=3.0)


def strided_block() -> nn.Module:
    from timm.models.resnet import BasicBlock

    shortcut = nn.Sequential(nn.Conv2d(16, 24, 1, stride=2, bias=False), nn.BatchNorm2d(24))
    return BasicBlock(16, 24, stride=2, downsample=shortcut)


BLOCKS = {
    "timm basic": (lambda: timm_block("BasicBlock"), 2, 2),
    "timm bottleneck": (lambda: timm_block("Bottleneck"), 3, 1),
    "timm inverted": (lambda: timm_block("InvertedResidual"), 3, 1),
    "torchvision basic": (lambda: torchvision_block("BasicBlock"), 2, 2),
    "torchvision bottleneck": (lambda: torchvision_block("Bottleneck"), 3, 1),
    "torchvision inverted": (lambda: torchvision_block("InvertedResidual"), 3, 1),
    "timm basic, stride 2": (strided_block, 2, 2),
    "torchvision inverted, no shortcut": (lambda: torchvision_block("InvertedResidual", out=24), 3, 1),
    "small resnet, stride 2": (lambda: ResidualBlock(16, 24, stride=2), 2, 2),
}
CASES = [(name, m) for name, (_, most, _) in BLOCKS.items() for m in range(1, most + 1)]


@pytest.mark.parametrize(("name", "m"), CASES)
def test_one_step_is_the_plain_block(name, m):
    block = randomised(BLOCKS[name][0]())
    x = torch.randn(2, 16, 8, 8)
    expected = copy.deepcopy(block)(x)
    feedback = with_feedback(block, TDAM, m, steps=2).eval()
    feedback.steps = 1
    assert torch.equal(feedback(x), expected)
    assert feedback.last_attention == {}
    feedback.steps = 2
    assert not torch.allclose(feedback(x), expected)


@pytest.mark.parametrize("name", BLOCKS)
def test_the_papers_distance_is_the_default(name):
    make, _, m = BLOCKS[name]
    assert with_feedback(make(), TDAM).m == m


def test_two_steps_written_out():
    """A bottleneck at m = 2 by hand, with norms of the second step that differ from the first's."""
    block = randomised(timm_block("Bottleneck"))
    feedback = with_feedback(block, TDAM, m=2, steps=2)
    second = randomised(feedback.step_norms[0])
    x = torch.randn(2, 16, 6, 6)
    bottom = torch.relu(block.bn1(block.conv1(x)))
    top = block.bn3(block.conv3(torch.relu(block.bn2(block.conv2(bottom)))))
    bottom, maps = feedback.attention(bottom, top)
    top = second[1](block.conv3(torch.relu(second[0](block.conv2(bottom)))))
    torch.testing.assert_close(feedback.eval()(x), torch.relu(top + x))
    assert list(feedback.last_attention) == ["t1.gate", "t1.score"]
    torch.testing.assert_close(feedback.last_attention["t1.gate"], maps["gate"])
    torch.testing.assert_close(feedback.last_attention["t1.score"].sigmoid(), maps["gate"])


def test_later_norms_start_as_copies_and_learn_apart():
    block = randomised(timm_block("BasicBlock"))
    feedback = with_feedback(block, TDAM, m=2, steps=3)
    for norms in feedback.step_norms:
        for copied, own in zip(norms, (block.bn1, block.bn2), strict=True):
            assert copied is not own
            for key, value in own.state_dict().items():
                assert torch.equal(copied.state_dict()[key], value)
    feedback.train()(torch.randn(4, 16, 5, 5) * 3)
    means = [block.bn2.running_mean, *(norms[1].running_mean for norms in feedback.step_norms)]
    assert not torch.allclose(means[0], means[1])
    assert not torch.allclose(means[1], means[2])


@pytest.mark.parametrize(("built", "run"), [(1, 1), (2, 2), (3, 3), (3, 2), (3, 1)])
def test_gradients_reach_all_but_the_declared(built, run):
    block = randomised(timm_block("BasicBlock")).double()
    feedback = with_feedback(block, TDAM, steps=built).train()
    feedback.steps = run
    feedback(torch.randn(4, 16, 5, 5, dtype=torch.float64)).square().sum().backward()
    idle = {name for name, parameter in feedback.named_parameters() if parameter.grad is None}
    assert idle == feedback.parameters_without_gradient()
    assert bool(idle) == (run < built or run == 1)


@pytest.mark.parametrize("steps", [0, 3])
def test_steps_are_never_raised(steps):
    feedback = with_feedback(timm_block("BasicBlock"), TDAM, steps=2)
    with pytest.raises(UserError, match="1 to 2"):
        feedback.steps = steps


def test_thin_projections_have_a_searchlight_of_eight():
    feedback = with_feedback(timm_block("InvertedResidual"), TDAM)
    assert feedback.attention.top_reduce.out_channels == 8
    assert with_feedback(timm_block("BasicBlock"), TDAM).attention.top_reduce.out_channels == 1
    given = with_feedback(timm_block("InvertedResidual"), TDAM, min_hidden=2)
    assert given.attention.top_reduce.out_channels == 2


@pytest.mark.parametrize(
    ("network", "place", "inner"),
    [("seresnet18", "layer4", "se: SEModule"), ("resnetblur18", "layer4", "aa: BlurPool2d")],
)
def test_blocks_with_inner_layers_are_refused_by_name(network, place, inner):
    network = timm.create_model(network)
    before = [type(part) for part in network.modules()]
    with pytest.raises(UserError, match=rf"stage5\.0 \(layer4\.0\): BasicBlock has .*{inner}"):
        insert_feedback(network, {"stage5": [place]}, TDAM, ["stage5"])
    assert [type(part) for part in network.modules()] == before


def test_a_whole_mobilenet():
    network = randomised(timm.create_model("mobilenetv2_035", num_classes=4))
    stages = {"stage4": ["blocks.3", "blocks.4"], "stage5": ["blocks.5", "blocks.6"]}
    images = torch.rand(1, 3, 64, 64)
    plain = network(images)
    blocks = insert_feedback(network, stages, TDAM, ["-2", "-1"])
    assert list(blocks) == [f"stage4.{i}" for i in range(7)] + [f"stage5.{i}" for i in range(4)]
    network(images)
    assert {name: block.last_attention["t1.gate"].shape for name, block in blocks.items()} == {
        # The bottom is the projection's input, which lies after the block's stride.
        **{f"stage4.{i}": (1, 4, 4) for i in range(7)},
        **{f"stage5.{i}": (1, 2, 2) for i in range(4)},
    }
    with lowered_steps(network, 1):
        assert torch.equal(network(images), plain)
    assert all(block.steps == 2 for block in feedback_blocks(network).values())
    assert not torch.equal(network(images), plain)


def test_single_blocks_and_whole_stages():
    def places(*at: str) -> list[str]:
        network = timm.create_model("resnet18")
        layers = {"stage4": ["layer3"], "stage5": ["layer4"]}
        return list(insert_feedback(network, layers, TDAM, at))

    assert places("stage4.1") == ["stage4.1"]
    assert places("stage5.0", "stage4") == ["stage4.0", "stage4.1", "stage5.0"]
    assert places("-1.1") == ["stage5.1"]
    for bad, message in (("stage4.2", "stage4.0 to stage4.1"), ("stage3", "'stage4'"), ("-3", "stage4")):
        with pytest.raises(UserError, match=message):
            places(bad)


def test_feedback_goes_in_once():
    network = timm.create_model("resnet18")
    insert_feedback(network, {"stage5": ["layer4"]}, TDAM, ["stage5"])
    with pytest.raises(UserError, match="already"):
        insert_feedback(network, {"stage4": ["layer3"]}, TDAM, ["stage4"])


def test_networks_without_residual_blocks_are_refused():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    with pytest.raises(UserError, match="stage1: it is plain convolutions, without blocks"):
        insert_feedback(network, {"stage1": ["0"]}, TDAM, ["stage1"])
    with pytest.raises(UserError, match="plain convolutions, without blocks"):
        with_feedback(network[0], TDAM)
    with pytest.raises(UserError, match="no feedback"), lowered_steps(network, 1):
        pass


@pytest.mark.parametrize(
    ("options", "message"),
    [({"m": 3}, "m is 1 to 2"), ({"m": 0}, "m is 1 to 2"), ({"steps": 0}, "choose 1")],
)
def test_impossible_loops_are_named(options, message):
    with pytest.raises(UserError, match=message):
        with_feedback(timm_block("BasicBlock"), TDAM, **options)


def test_a_block_of_ones_own_and_a_module_of_ones_own():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 1, bias=False)
            self.norm = nn.BatchNorm2d(4)

        def feedback_plan(self):
            return BlockPlan((Unit("conv", "norm"),))

    class Halve(nn.Module):
        insertion = "feedback"

        def __init__(self, bottom_channels, top_channels):
            super().__init__()

        def forward(self, bottom, top):
            return Attended(bottom / 2, {"a": bottom, "b": top.mean(dim=1)})

    block = randomised(Block())
    feedback = with_feedback(block, Halve, steps=2).eval()
    x = torch.randn(2, 4, 3, 3)
    torch.testing.assert_close(feedback(x), x + block.norm(block.conv(x / 2)))
    assert {name: tuple(one.shape) for name, one in feedback.last_attention.items()} == {
        "t1.a": (2, 3, 3), "t1.b": (2, 3, 3),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("returned", "found"),
    [(lambda bottom: bottom[:, :2], "(2, 2, 5, 5)"), (lambda bottom: [bottom], "list")],
)
def test_a_module_that_changes_the_shape_is_named(returned, found):
    class Wrong(nn.Module):
        insertion = "feedback"

        def __init__(self, bottom_channels, top_channels):
            super().__init__()

        def forward(self, bottom, top):
            return returned(bottom)

    feedback = with_feedback(timm_block("BasicBlock"), Wrong)
    with pytest.raises(UserError) as raised:
        feedback(torch.randn(2, 16, 5, 5))
    assert "Wrong" in str(raised.value)
    assert "expected (2, 16, 5, 5)" in str(raised.value)
    assert str(raised.value).endswith(found)


def test_copies_and_saved_weights_are_whole():
    feedback = with_feedback(randomised(timm_block("BasicBlock")), TDAM).eval()
    x = torch.randn(2, 16, 5, 5, requires_grad=True)
    expected = feedback(x)
    twin = copy.deepcopy(feedback)
    assert torch.equal(twin(x), expected)
    fresh = with_feedback(timm_block("BasicBlock"), TDAM).eval()
    fresh.load_state_dict(feedback.state_dict())
    assert torch.equal(fresh(x), expected)
