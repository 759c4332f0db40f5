"""Stages of every kind of network: named by the published stride, chained as the library chains them."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn
from torchvision import models

from wsol.errors import UserError
from wsol.models.backbone import as_stages
from wsol.models.networks.by_name import create_network, feature_chain
from wsol.recipe import BackboneSettings


def backbone(name: str, **settings):
    return as_stages(
        create_network(name, settings.get("options", {})),
        BackboneSettings(name=name, **settings),
    )


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(3)


@pytest.mark.parametrize(
    ("name", "channels", "strides"),
    [
        ("resnet18", [64, 64, 128, 256, 512], [2, 4, 8, 16, 32]),
        ("vgg16", [64, 128, 256, 512, 512], [2, 4, 8, 16, 32]),
        ("squeezenet1_1", [64, 128, 256, 512], [2, 4, 8, 16]),
        ("inception_v3", [64, 192, 288, 768], [2, 4, 8, 16]),
        ("mobilenetv2_035", [8, 8, 16, 32, 112, 1280], [2, 4, 8, 16, 32, 32]),
        ("mobilenet_v2", [16, 24, 32, 96, 320, 1280], [2, 4, 8, 16, 32, 32]),
        ("efficientnet_b0", [16, 24, 40, 112, 320, 1280], [2, 4, 8, 16, 32, 32]),
        ("densenet121", [64, 256, 512, 1024, 1024], [2, 4, 8, 16, 32]),
        ("small_resnet", [32, 64, 96], [2, 4, 8]),
        ("regnety_002", [32, 24, 56, 152, 368], [2, 4, 8, 16, 32]),
    ],
)
def test_stages_channels_and_strides(name, channels, strides):
    with torch.device("meta"):
        built = backbone(name)
    names = [f"stage{number}" for number in range(1, 6)][: len(built.numbered)]
    names += ["neck"] if len(channels) > len(names) else []
    assert built.stage_channels == dict(zip(names, channels, strict=True))
    assert built.stage_strides == dict(zip(names, strides, strict=True))
    assert built.out_channels == channels[-1]


def test_a_network_without_a_stage_of_stride_two_begins_with_stage2():
    with torch.device("meta"):
        assert backbone("convnext_tiny").stage_strides == {
            "stage2": 4,
            "stage3": 8,
            "stage4": 16,
            "stage5": 32,
        }


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv2_035", "regnety_002"])
def test_chain_is_timms_forward_features(name):
    network = timm.create_model(name).eval()
    built = backbone(name).eval()
    copied = dict(zip(built.parameters(), feature_parameters(network), strict=True))
    with torch.no_grad():
        for own, theirs in copied.items():
            own.copy_(theirs)
        images = torch.randn(2, 3, 64, 64)
        assert torch.equal(built(images), network.forward_features(images))


def feature_parameters(network):
    return [parameter for part in feature_chain(network).values() for parameter in part.parameters()]


@pytest.mark.parametrize(
    ("name", "features"),
    [
        ("squeezenet1_1", lambda network, x: network.features(x)),
        ("mobilenet_v2", lambda network, x: network.features(x)),
    ],
)
def test_chain_is_torchvisions_features(name, features):
    torch.manual_seed(0)
    built = backbone(name).eval()
    torch.manual_seed(0)
    network = models.get_model(name, weights=None).eval()
    images = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        assert torch.equal(built(images), features(network, images))


@pytest.mark.parametrize(
    ("name", "strides", "size"),
    [
        ("resnet18", {"stage5": 1}, 14),
        ("resnet18", {"stage4": 1, "stage5": 1}, 28),
        ("resnet18", {"stage5": 2}, 7),
        ("resnet50d", {"stage5": 1}, 14),
        ("vgg16", {"stage5": 1}, 14),
        ("vgg16_bn", {"stage4": 1, "stage5": 1}, 28),
        ("inception_v3", {}, 14),
        ("inception_v3", {"stage4": 1}, 28),
        ("mobilenetv2_035", {"stage5": 1}, 14),
        ("mobilenet_v2", {"stage5": 1}, 14),
        ("squeezenet1_1", {"stage4": 1}, 27),
    ],
)
def test_strides_enlarge_maps_without_dilation(name, strides, size):
    with torch.device("meta"):
        built = backbone(name, strides=strides)
        assert built(torch.empty(1, 3, 224, 224)).shape[2:] == (size, size)
    convolutions = [part for part in built.modules() if isinstance(part, torch.nn.Conv2d)]
    assert {part.dilation for part in convolutions} == {(1, 1)}


def test_same_padding_survives_a_change_of_stride():
    built = backbone(
        "mobilenetv2_035", strides={"stage5": 1}, options={"pad_type": "same", "bn_eps": 1e-3}
    )
    assert built.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 1280, 4, 4)


def test_places_count_from_the_last_stage_before_the_neck():
    with torch.device("meta"):
        built = backbone("mobilenetv2_035")
    assert built.resolve("-1") == "stage5"
    assert built.resolve("-2") == "stage4"
    assert built.resolve("neck") == "neck"
    with pytest.raises(UserError, match=r"no stage 'stage6': there are stage1, .*, neck"):
        built.resolve("stage6")
    with pytest.raises(UserError, match="no stage '-6'"):
        built.resolve("-6")


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("resnet5", {}, "unknown backbone 'resnet5': did you mean 'resnet"),
        ("zzzz", {}, "unknown backbone 'zzzz': there are .*vgg16"),
        ("resnet18", {"options": {"depth": 3}}, "backbone resnet18: .*depth.*see backbone.options"),
        ("resnet18", {"strides": {"stage6": 1}}, "resnet18 has no 'stage6'.*stage5"),
        ("resnet18", {"strides": {"stage5": 3}}, "stage5 of resnet18 has stride 2 or 1, not 3"),
        ("convnext_tiny", {"strides": {"stage5": 1}}, "stage5 of convnext_tiny cuts patches"),
        ("vgg_att", {"strides": {"L2": 1}}, "those of vgg_att are fixed"),
        ("vit_tiny_patch16_224", {"strides": {"stage4": 1}}, "those of vit_tiny_patch16_224 are fixed"),
        ("torchvision:vit_b_16", {}, "vit_b_16 is not a chain of stages .* timm's network"),
    ],
)
def test_wrong_settings_are_one_line(name, settings, message):
    with pytest.raises(UserError, match=message) as caught:
        backbone(name, **settings)
    assert "\n" not in str(caught.value)


def test_a_network_whose_forward_is_no_chain_is_refused():
    # torchvision's DenseNet puts a ReLU between features and pooling that is no module.
    network = models.densenet121(weights=None)
    from wsol.models.networks.by_name import check_chain

    torch.nn.init.normal_(network.features.norm5.bias)
    with pytest.raises(UserError, match="not a chain"):
        check_chain("densenet121", network, feature_chain(network))


def test_create_network_keeps_the_librarys_classifier():
    assert create_network("squeezenet1_1", {}).classifier[1].out_channels == 1000


def test_small_resnet_looks_where_its_maps_lie():
    """An output's gradient is centred on its own 8x8 pixels: a strided convolution's is not."""
    torch.manual_seed(0)
    network = backbone("small_resnet").eval()
    images = torch.rand(1, 3, 128, 128, requires_grad=True)
    seen = torch.zeros(128)
    for _ in range(20):
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        (gradient,) = torch.autograd.grad(network(images)[0, :, 8, 8].sum(), images)
        seen += gradient.abs().sum(dim=(0, 1, 2)) / gradient.abs().sum()
    rows = torch.nonzero(seen).flatten()
    assert (rows.min() + rows.max()) / 2 == 8 * 8 + 3.5
