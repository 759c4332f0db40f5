"""Which weights a library's name stands for, and what was loaded; nothing is downloaded here."""

from __future__ import annotations

import hashlib

import pytest
import timm
import torch
from safetensors.torch import save_file
from torchvision import models

from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.models.weights.library import library_state, with_tag
from wsol.models.weights.loading import settled, tensors_sha256
from wsol.models.weights.pretrained import pretrained_recipe
from wsol.pipeline.inputs import resolved
from wsol.recipe import BackboneSettings, Recipe, WeightsSettings

RESNET_FILES = {member.name: member.url for member in models.ResNet50_Weights}


def card(name: str, **rest) -> WeightsSettings:
    return WeightsSettings(name=name, **rest)


@pytest.mark.parametrize(
    ("library", "backbone", "asked", "expected"),
    [
        ("timm", "resnet50", "", "resnet50.a1_in1k"),
        ("timm", "resnet50.tv_in1k", "", "resnet50.tv_in1k"),
        ("timm", "resnet50", "tv_in1k", "resnet50.tv_in1k"),
        ("timm", "resnet50", "resnet50.tv_in1k", "resnet50.tv_in1k"),
        ("timm", "timm:resnet50", "", "resnet50.a1_in1k"),
        ("torchvision", "resnet50", "", "IMAGENET1K_V1/resnet50-0676ba61"),
        ("torchvision", "torchvision:resnet50", "IMAGENET1K_V2", "IMAGENET1K_V2/resnet50-11ad3fa6"),
        ("torchvision", "vgg16", "", "IMAGENET1K_V1/vgg16-397923af"),
    ],
)
def test_a_name_stands_for_one_file(library, backbone, asked, expected):
    found = with_tag(card(library, tag=asked), BackboneSettings(backbone)).tag
    assert found == expected
    # Named in full it stands for itself.
    assert with_tag(card(library, tag=found), BackboneSettings(backbone)).tag == expected
    if library == "torchvision":
        entry, _, file = found.partition("/")
        assert RESNET_FILES.get(entry, "").endswith(f"/{file}.pth") or "vgg16" in file


def test_which_weights_are_part_of_what_was_run():
    recipes = [
        Recipe.from_dict({"backbone": {"name": backbone}, "weights": weights})
        for backbone, weights in (
            ("resnet50", {"name": "timm"}),
            ("resnet50", {"name": "timm", "tag": "tv_in1k"}),
            ("resnet50", {"name": "torchvision"}),
            ("resnet50", {"name": "torchvision", "tag": "IMAGENET1K_V2"}),
        )
    ]
    tags = [resolved(recipe).what()["weights"]["tag"] for recipe in recipes]
    assert len(set(tags)) == 4 and tags[0] == "resnet50.a1_in1k"
    assert resolved(resolved(recipes[0])) == resolved(recipes[0])
    # What has no library's weights is what it was.
    assert resolved(Recipe()) == Recipe() and "tag" not in Recipe().what()["weights"]


def test_a_pretrained_classifier_says_which_it_is():
    assert pretrained_recipe("timm:resnet18").weights.tag == "resnet18.a1_in1k"
    found = pretrained_recipe("torchvision:squeezenet1_1").weights.tag
    assert found == "IMAGENET1K_V1/squeezenet1_1-b8a52dc0"


@pytest.mark.parametrize(
    ("library", "backbone", "tag", "message"),
    [
        ("timm", "resnet50", "tv_in2k", "timm has no weights 'tv_in2k' of resnet50: did you mean"),
        ("timm", "resnet50.tv_in1k", "a1_in1k", "backbone.name is resnet50.tv_in1k, but weights.tag"),
        ("timm", "mobilenetv2_035", "", "timm has no pretrained weights of mobilenetv2_035"),
        ("timm", "small_resnet", "", "timm has no pretrained weights of small_resnet"),
        ("torchvision", "mobilenetv2_035", "", "torchvision has no ImageNet weights of mobilenetv2_035"),
        ("torchvision", "resnet50", "IMAGENET1K_V3", "no weights 'IMAGENET1K_V3' of resnet50: did you"),
        (
            "torchvision",
            "resnet50",
            "IMAGENET1K_V1/resnet50-19c8e357",
            "but this torchvision has IMAGENET1K_V1/resnet50-0676ba61",
        ),
        ("none", "resnet50", "tv_in1k", "names weights of a library: it goes with weights.name"),
    ],
)
def test_what_no_library_has_is_one_line(library, backbone, tag, message):
    with pytest.raises(UserError, match=message) as error:
        settled(card(library, tag=tag), BackboneSettings(backbone))
    assert "\n" not in str(error.value)


@pytest.fixture
def drawn(monkeypatch):
    """timm's ``pretrained`` weights, drawn here, and the names that were asked."""
    asked = []

    def create_model(name, pretrained=False, **options):
        torch.manual_seed(3)
        network = real(name, **options)
        if pretrained:
            asked.append((name, options))
        return network

    real = timm.create_model
    monkeypatch.setattr(timm, "create_model", create_model)
    torch.manual_seed(3)
    return asked, real("mobilenetv2_050", pad_type="same").state_dict()


def test_timms_weights_are_asked_by_their_tag(drawn):
    asked, state = drawn
    backbone = {"name": "mobilenetv2_050", "options": {"pad_type": "same"}}
    recipe = Recipe.from_dict({"backbone": backbone, "weights": {"name": "timm"}})
    built = build_localizer(recipe, 3)
    assert asked == [("mobilenetv2_050.lamb_in1k", {"pad_type": "same"})]
    assert torch.equal(built.backbone.stages["stage1"][0].weight, state["conv_stem.weight"])
    with pytest.raises(
        UserError, match=r"timm's weights of mobilenetv2_050\.\w+ want weights.mean \[0.485"
    ):
        library_state(BackboneSettings("mobilenetv2_050"), card("timm", mean=(0.5, 0.5, 0.5)))


def test_the_hash_of_what_was_loaded_is_the_same_from_library_and_file(drawn, tmp_path):
    _, state = drawn
    backbone = {"name": "mobilenetv2_050", "options": {"pad_type": "same"}}
    # By hand: names in order; a new classifier takes the place of the file's, counters are not read.
    loaded = hashlib.sha256()
    for name in sorted(state):
        if not name.startswith("classifier") and not name.endswith("num_batches_tracked"):
            value = state[name].numpy()
            loaded.update(f"{name} torch.float32 {tuple(value.shape)}\n".encode() + value.tobytes())
    path = tmp_path / "weights.safetensors"
    save_file({name: value.contiguous() for name, value in state.items()}, path)
    found = [
        build_localizer(
            Recipe.from_dict({"backbone": backbone, "weights": weights}), 3
        ).pretrained_sha256
        for weights in ({"name": "timm"}, {"name": "mine", "file": str(path)})
    ]
    assert found == [loaded.hexdigest()] * 2
    state["conv_stem.weight"][0, 0, 0, 0] += 1
    assert tensors_sha256(state) != tensors_sha256(drawn[1] | {"conv_stem.weight": torch.zeros(1)})
    assert build_localizer(Recipe.from_dict({"backbone": backbone}), 3).pretrained_sha256 == ""


def test_torchvision_gives_its_first_weights(monkeypatch):
    state = {"a": torch.zeros(1)}
    monkeypatch.setattr(
        type(models.ResNet50_Weights.IMAGENET1K_V1),
        "get_state_dict",
        lambda self, progress: {**state, "from": self.name},
    )
    found = library_state(BackboneSettings("resnet50"), card("torchvision"))
    assert found == {**state, "from": "IMAGENET1K_V1"}
