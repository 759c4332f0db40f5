"""Stage modules inside stages: ADL where wsolevaluation has it, and what is computed there."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.models.placed import Placed
from wsol.recipe import AttentionSettings, BackboneSettings, DataSettings, HeadSettings, Recipe

# FACTS of wsolevaluation: before conv4_1, after conv4_3 and conv5_3; after layer3[0], layer4[0] and
# layer4[2]; after Mixed_5d, Mixed_6e and the second convolution of the head.
REFERENCE = {
    "vgg16": (["stage3", "stage4.2", "stage5.2"], "cam_conv"),
    "resnet50": (["stage4.0", "stage5.0", "stage5.2"], "cam"),
    "inception_v3": (["stage3", "stage4", "head"], "cam_conv2"),
}
CHANNELS = {"vgg16": [256, 512, 512], "resnet50": [1024, 2048, 2048], "inception_v3": [288, 768, 1024]}


class Negates(nn.Module):
    """The features' negatives, which no ReLU and no pooling commutes with; keeps its channels."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, x):
        return -x


@pytest.fixture
def built(monkeypatch):
    """Gives a localizer with a module at places."""
    monkeypatch.setattr("wsol.models.insertion.attach.ATTENTION", {"adl": Negates, "negates": Negates})

    def build(backbone, at, head="cam", classes=3, **settings):
        recipe = Recipe(
            data=DataSettings(input_size=64, resize_size=64),
            backbone=BackboneSettings(backbone, **settings),
            attention=AttentionSettings("negates", at=at),
            head=HeadSettings(head, width=1024),
        )
        torch.manual_seed(0)
        return build_localizer(recipe, classes, load_weights=False).eval()

    return build


@pytest.mark.parametrize("name", REFERENCE)
def test_adl_at_the_references_places_has_its_channels_and_parameters(golden_file, name):
    at, head = REFERENCE[name]
    recipe = Recipe(
        backbone=BackboneSettings(name),
        attention=AttentionSettings("adl", at=at),
        head=HeadSettings(head, width=1024),
    )
    with torch.device("meta"):
        localizer = build_localizer(recipe, 200, load_weights=False)
    assert list(localizer.placed) == localizer.attention_names() == at
    seen = {}
    for place, placed in localizer.placed.items():
        placed.register_forward_hook(lambda _, __, out, place=place: seen.update({place: out.shape[1]}))
    with torch.device("meta"):
        localizer(torch.zeros(1, 3, 224, 224))
    assert list(seen.values()) == CHANNELS[name]
    facts = json.loads(golden_file("backbone_facts.json").read_text())["networks"]
    (wanted,) = {
        one["parameters"]
        for one in facts
        if (one["backbone"], one["method"], one["num_classes"]) == (name, "adl", 200)
    }
    assert sum(one.numel() for one in localizer.parameters()) == wanted


@torch.no_grad()
def test_after_a_block_its_output_is_what_goes_on(built):
    plain, attended = built("resnet18", ["-1"]), built("resnet18", ["stage4.0", "stage5.1"])
    images = torch.randn(1, 3, 64, 64)
    x = images
    for name, stage in plain.backbone.stages.items():
        parts = [
            part for child in stage for part in (child if isinstance(child, nn.Sequential) else [child])
        ]
        blocks = [part for part in parts if type(part).__name__ == "BasicBlock"]
        for part in parts:
            x = part(x)
            if part in blocks and (name, blocks.index(part)) in (("stage4", 0), ("stage5", 1)):
                x = -x
    torch.testing.assert_close(attended.stage_features(images)["stage5"], x)
    assert [placed.module.channels for placed in attended.placed.values()] == [256, 512]


@torch.no_grad()
def test_after_a_convolution_its_activation_is_done_and_its_pooling_is_not(built):
    images = torch.randn(1, 3, 64, 64)
    for name, layer in (("vgg16", 7), ("vgg16_bn", 10)):  # conv2_2 and the layers before it
        plain, attended = built(name, ["-1"]), built(name, ["stage2.1"])
        x = images
        layers = [part for stage in ("stage1", "stage2") for part in plain.backbone.stages[stage]]
        *before, pooling = layers
        assert isinstance(before[layer + 1 if name == "vgg16" else layer + 2], nn.ReLU)
        for one in before:
            x = one(x)
        wanted = pooling(-x)
        found = attended.backbone.stages["stage2"](attended.backbone.stages["stage1"](images))
        torch.testing.assert_close(found, wanted)


@torch.no_grad()
def test_in_the_head_it_is_after_the_heads_own_convolutions(built):
    plain, attended = built("resnet18", ["-1"], "cam_conv"), built("resnet18", ["head"], "cam_conv")
    attended.head.load_state_dict(
        {name.replace("before.", "before.0."): value for name, value in plain.head.state_dict().items()}
    )
    features = torch.randn(1, 512, 2, 2)
    wanted = plain.head.classifier(-plain.head.before(features))
    torch.testing.assert_close(attended.head(features).class_maps, wanted)
    assert attended.placed["head"].module.channels == 1024
    groups = attended.parameter_groups()
    assert sum(len(group) for group in groups.values()) == len(list(attended.parameters()))


def test_places_are_told_shallow_first(built):
    localizer = built("resnet18", ["head", "stage5", "stage5.1", "input", "stage5.0", "stage2.1"])
    assert list(localizer.placed) == ["input", "stage2.1", "stage5.0", "stage5.1", "stage5", "head"]
    assert all(isinstance(placed, Placed) for placed in localizer.placed.values())


@pytest.mark.parametrize(
    ("backbone", "at", "head", "said"),
    [
        ("resnet18", "stage5.2", "cam", r"has no place 'stage5.2': did you mean 'stage5.[01]'"),
        ("vgg16", "stage4.x", "cam", r"has no place 'stage4.x'"),
        ("resnet18", "head", "classifier", "head has no class maps"),
    ],
)
def test_a_place_that_is_not_there_is_named(built, backbone, at, head, said):
    with pytest.raises(UserError, match=said):
        built(backbone, [at], head)
