"""Residual blocks with TDAM inside: the released blocks' numbers, and the published networks' sizes."""

from __future__ import annotations

import json

import pytest
import timm
import torch
from timm.models.resnet import BasicBlock, Bottleneck
from torch import nn

from wsol.attention.tdam import TDAM
from wsol.models.insertion.feedback import insert_feedback, with_feedback
from wsol.models.insertion.feedback_block import FeedbackBlock


def block_of(config: dict) -> FeedbackBlock:
    kind = {"bottleneck": Bottleneck, "basic": BasicBlock}[config["block"]]
    into, out, stride = config["in_channels"], config["planes"] * config["expansion"], config["stride"]
    shortcut = None
    if stride != 1 or into != out:
        shortcut = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))
    block = kind(into, config["planes"], stride, shortcut)
    options = {key: config[key] for key in ("gating", "reduction", "pooling")}
    return with_feedback(block, TDAM, config["distance_m"], config["steps"], **options)


def our_names(block: FeedbackBlock) -> dict[str, str]:
    """Released layer names to ours, for any distance and number of steps."""
    names = {"shortcut_conv": "block.downsample.0", "shortcut_bn": "block.downsample.1"}
    for theirs, ours in (("top_reduce", "top_reduce"), ("bottom_reduce", "bottom_reduce"),
                         ("combine", "expand"), ("expand", "expand")):  # fmt: skip
        names[f"attention.{theirs}_conv"] = f"attention.{ours}"
    layers = 3 if hasattr(block.block, "conv3") else 2
    for layer in range(1, layers + 1):
        names[f"conv{layer}"] = f"block.conv{layer}"
        names[f"bn{layer}_step0"] = f"block.bn{layer}"
        for step in range(1, block.steps):
            names[f"bn{layer}_step{step}"] = f"step_norms.{step - 1}.{layer - 1 - layers + block.m}"
    return names


@pytest.mark.golden
def test_released_blocks(golden_cases):
    for case in golden_cases("attention_tdam_block.npz"):
        block = block_of(case.config)
        names = our_names(block)
        case.load(block, names)
        attended = []
        block.attention.register_forward_hook(lambda *call, kept=attended: kept.append(call[2].features))
        x = case["inputs/input"].requires_grad_()
        output = block.eval()(x)
        case.compare("eval/output", output.detach())
        for step, found in enumerate(attended):
            case.compare(f"eval/attended_step{step}", found.detach())
        assert len(attended) == case.config["steps"] - 1
        (output * case["grad/loss_weights"]).sum().backward()
        case.compare("grad/input", x.grad)
        case.compare("train/output", block.train()(x).detach())
        case.compare_statistics(block, names)


@pytest.mark.golden
def test_parameter_counts_of_the_published_networks(golden_file):
    networks = json.loads(golden_file("tdam_parameter_counts.json").read_text())["networks"]
    assert networks
    for entry in networks:
        with torch.device("meta"):
            network = timm.create_model(entry["network"].split()[-1], num_classes=entry["num_classes"])
        bare = count(network)
        layers = {f"stage{number + 1}": [f"layer{number}"] for number in (1, 2, 3, 4)}
        # Their stage3 is the ResNet's third layer, of stride 16: our stage4.
        at = [
            f"stage{int(stage.removeprefix('stage')) + 1}.{number}"
            for stage, numbers in entry["requested_blocks_zero_based"].items()
            for number in numbers
            if number < len(network.get_submodule(stage.replace("stage", "layer")))
        ]
        blocks = insert_feedback(
            network, layers, TDAM, at, entry["distance_m"], entry["steps_T"],
            gating=entry["gating"], reduction=entry["reduction"],
        )  # fmt: skip
        places = [name for name, part in network.named_modules() if isinstance(part, FeedbackBlock)]
        assert places == entry["attention_blocks"]
        assert count(network) == entry["parameters"]
        attention = sum(count(block.attention) for block in blocks.values())
        norms = sum(count(block.step_norms) for block in blocks.values())
        assert attention == entry["parameters_in_attention"]
        assert norms == entry["parameters_in_extra_per_step_bn"]
        assert bare + attention + norms == entry["parameters"]


def test_parameter_count_of_resnet101_with_feedback_in_its_last_stage_only():
    with torch.device("meta"):
        network = timm.create_model("resnet101")
    insert_feedback(network, {"stage5": ["layer4"]}, TDAM, ["stage5"])
    # TDAM's released code, run: 45.938 million.
    assert round(count(network) / 1e6, 3) == 45.938


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
