"""VGG16, ResNet50 and InceptionV3 of method cam against wsolevaluation's own layer lists."""

from __future__ import annotations

import functools
import json
import math

import pytest
import torch
from torch import nn

from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.recipe import Recipe

pytestmark = pytest.mark.golden

HEADS = {"vgg16": "cam_conv", "resnet50": "cam", "inception_v3": "cam_conv2"}
STRIDES = {
    ("vgg16", False): {"stage5": 1},
    ("vgg16", True): {"stage4": 1, "stage5": 1},
    ("resnet50", False): {"stage5": 1},
    ("resnet50", True): {"stage4": 1, "stage5": 1},
    ("inception_v3", False): {},
    ("inception_v3", True): {"stage4": 1},
}


@functools.cache
def localizer(name: str, large: bool, num_classes: int) -> Localizer:
    settings = {
        "backbone": {"name": name, "strides": STRIDES[name, large]},
        "head": {"name": HEADS[name]},
    }
    with torch.device("meta"):
        return build_localizer(Recipe.from_dict(settings), num_classes).eval()


@pytest.fixture(scope="module")
def facts(golden):
    path = golden / "backbone_facts.json"
    if not path.is_file():
        pytest.skip(f"no golden file {path}: set WSOL_GOLDEN")
    return json.loads(path.read_text())


def plain_networks(facts):
    return [network for network in facts["networks"] if network["method"] == "cam"]


def test_parameters_and_layers(facts):
    networks = plain_networks(facts)
    assert networks
    for network in networks:
        built = localizer(network["backbone"], network["large_feature_map"], network["num_classes"])
        parts = list(built.modules())
        assert sum(value.numel() for value in built.parameters()) == network["parameters"]
        # Our 1x1 class convolution is their linear layer in VGG16 and ResNet50.
        convolutions = sum(isinstance(part, nn.Conv2d) for part in parts)
        assert convolutions == network["conv_layers"] + network["linear_layers"]
        assert sum(isinstance(part, nn.BatchNorm2d) for part in parts) == network["batchnorm_layers"]
        statistics = [value for name, value in built.named_buffers() if "num_batches" not in name]
        counters = [value for name, value in built.named_buffers() if "num_batches" in name]
        elements = sum(value.numel() for value in statistics)
        assert network["buffers_elements"] in (elements, elements + len(counters))


def test_map_sizes(facts):
    for network in plain_networks(facts):
        built = localizer(network["backbone"], network["large_feature_map"], network["num_classes"])
        for size, expected in network.get("cam_size_for_input", {}).items():
            height, width = map(int, size.split("x"))
            output = built(torch.empty(1, 3, height, width, device="meta"))
            assert output.class_maps.shape == (1, network["num_classes"], *expected)
            assert output.logits.shape == (1, network["num_classes"])


def test_every_convolution_in_order(facts):
    for network in plain_networks(facts):
        listed = network.get("spatial_operations_in_execution_order")
        if listed is None:
            continue
        built = localizer(network["backbone"], network["large_feature_map"], network["num_classes"])
        found = executed_convolutions(built)
        expected = [operation for operation in listed if operation["op"] == "conv"]
        if network["linear_layers"]:
            assert found.pop()["kernel"] == [1, 1]
        assert found == [{key: operation[key] for key in found[0]} for operation in expected]


def executed_convolutions(built: Localizer) -> list[dict]:
    found: list[dict] = []

    def note(module: nn.Conv2d, inputs, output):
        found.append(
            {
                "in_hw": list(inputs[0].shape[2:]),
                "kernel": list(module.kernel_size),
                "in_channels": module.in_channels,
                "out_channels": module.out_channels,
                "stride": list(module.stride),
                "padding": list(module.padding),
                "bias": module.bias is not None,
                "out_hw": list(output.shape[2:]),
            }
        )

    convolutions = [part for part in built.modules() if isinstance(part, nn.Conv2d)]
    hooks = [part.register_forward_hook(note) for part in convolutions]
    built(torch.empty(1, 3, 224, 224, device="meta"))
    for hook in hooks:
        hook.remove()
    return found


# Reference layer -> our stage whose end it is.
STAGE_ENDS = {
    "vgg16": {"features": "stage5"},
    "resnet50": {
        "conv1": "stage1",
        "layer1": "stage2",
        "layer2": "stage3",
        "layer3": "stage4",
        "layer4": "stage5",
    },
    "inception_v3": {
        "Conv2d_2b_3x3": "stage1",
        "Conv2d_4a_3x3": "stage2",
        "Mixed_5d": "stage3",
        "Mixed_6e": "stage4",
    },
}


def test_stage_shapes(facts):
    for key, shapes in facts["cam_stage_shapes_chw"].items():
        name, large = key.split("/large_feature_map=")
        built = localizer(name, large == "True", 200)
        stages = built.stage_features(
            torch.empty(1, 3, 224, 224, device="meta"), list(built.backbone.stages)
        )
        for layer, stage in STAGE_ENDS[name].items():
            assert list(stages[stage].shape[1:]) == shapes[layer], (key, layer)


def test_tdam_parameter_counts(golden):
    path = golden / "tdam_parameter_counts.json"
    if not path.is_file():
        pytest.skip(f"no golden file {path}: set WSOL_GOLDEN")
    for network in json.loads(path.read_text())["networks"]:
        places = [
            block.replace("layer3", "stage4").replace("layer4", "stage5")
            for block in network["attention_blocks"]
        ]
        options = {"m": network["distance_m"], "steps": network["steps_T"], "gating": network["gating"]}
        attention = {
            "name": "tdam",
            "at": places,
            "options": options | {"reduction": network["reduction"]},
        }
        settings = {"backbone": {"name": network["network"].split()[-1]}, "attention": attention}
        with torch.device("meta"):
            built = build_localizer(Recipe.from_dict(settings), network["num_classes"])
        assert sum(math.prod(value.shape) for value in built.parameters()) == network["parameters"]
        added = sum(math.prod(value.shape) for value in built.parameter_groups()["attention"])
        assert added == network["parameters_in_attention"] + network["parameters_in_extra_per_step_bn"]
