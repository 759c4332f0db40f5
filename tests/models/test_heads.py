"""CAM heads: maps whose average is the logit, and classifiers taken over from networks."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn
from torchvision import models

from wsol.errors import UserError
from wsol.models.heads import build_head, native_head
from wsol.models.networks.catalogue import HEADS
from wsol.recipe import HeadSettings


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(1)


@pytest.mark.parametrize("name", sorted(set(HEADS) - {"native", "classifier", "class_token"}))
def test_maps_average_to_the_logits(name):
    head = build_head(HeadSettings(name=name, width=12), 8, 5).eval()
    output = head(torch.randn(2, 8, 7, 6))
    assert output.class_maps.shape == (2, 5, 7, 6)
    torch.testing.assert_close(output.logits, output.class_maps.mean(dim=(2, 3)), rtol=0, atol=0)
    assert output.attention == {}
    assert head.num_classes == 5


def test_cam_is_pooling_and_a_linear_layer():
    # Zhou et al.: S_c = sum_k w_k mean(f_k) + b, and the map is sum_k w_k f_k.
    head = build_head(HeadSettings(), 8, 5)
    nn.init.normal_(head.classifier.bias)
    features = torch.randn(2, 8, 7, 7)
    weight, bias = head.classifier.weight[:, :, 0, 0], head.classifier.bias
    output = head(features)
    torch.testing.assert_close(
        output.logits, nn.functional.linear(features.mean(dim=(2, 3)), weight, bias)
    )
    maps = torch.einsum("ck,nkhw->nchw", weight, features)
    torch.testing.assert_close(output.class_maps - bias[:, None, None], maps)


def test_cam_relu_has_no_negative_maps():
    output = build_head(HeadSettings(name="cam_relu"), 8, 5)(torch.randn(2, 8, 7, 7))
    assert output.class_maps.min() == 0
    assert output.logits.min() >= 0


@pytest.mark.parametrize(("name", "convolved"), [("cam_conv", 1), ("cam_conv2", 2)])
def test_widths_of_the_convolutional_heads(name, convolved):
    head = build_head(HeadSettings(name=name, width=12), 8, 5)
    convolutions = [part for part in head.modules() if isinstance(part, nn.Conv2d)]
    shapes = [tuple(part.weight.shape) for part in convolutions]
    assert shapes == [*[(12, 8, 3, 3), (12, 12, 3, 3)][:convolved], (5, 12, 1, 1)]
    dropouts = [part.p for part in head.modules() if isinstance(part, nn.Dropout)]
    assert dropouts == ([0.5, 0.5, 0.5] if name == "cam_conv2" else [])


def test_squeezenets_own_classifier():
    network = models.squeezenet1_1(weights=None, num_classes=7).eval()
    images = torch.randn(2, 3, 64, 64)
    head = native_head("squeezenet1_1", network, 512).eval()
    output = head(network.features(images))
    torch.testing.assert_close(output.logits, network(images))
    assert output.class_maps.min() >= 0
    assert head.classifier.weight is network.classifier[1].weight


def test_a_linear_classifier_after_pooling_becomes_a_convolution():
    network = timm.create_model("resnet18", num_classes=7).eval()
    images = torch.randn(2, 3, 64, 64)
    output = native_head("resnet18", network, 512)(network.forward_features(images))
    torch.testing.assert_close(output.logits, network(images))
    assert output.class_maps.shape == (2, 7, 2, 2)


@pytest.mark.parametrize(("name", "channels"), [("mobilenetv3_small_050", 288), ("vgg11", 512)])
def test_other_classifiers_are_refused(name, channels):
    with torch.device("meta"):
        network = timm.create_model(name)
    with pytest.raises(UserError, match=f"classifier of {name} is not a CAM head"):
        native_head(name, network, channels)


def test_unknown_head():
    with pytest.raises(UserError, match=r"unknown head.name 'camm': did you mean 'cam'"):
        build_head(HeadSettings(name="camm"), 8, 5)


def test_dropout_around_the_two_convolutions_can_be_left_out():
    """The weights keep their places, and in training nothing is dropped."""
    usual, without = (build_head(HeadSettings("cam_conv2", 6, own), 8, 5) for own in (0.5, 0.0))
    without.load_state_dict(usual.state_dict())
    features = torch.rand(2, 8, 5, 5)
    plain = usual.eval()(features).logits
    torch.testing.assert_close(without.train()(features).logits, plain)
    assert not torch.allclose(usual.train()(features).logits, plain)


def test_a_head_without_dropout_does_not_take_one():
    with pytest.raises(UserError, match=r"head\.dropout is that of head\.name cam_conv2; cam_conv has"):
        build_head(HeadSettings("cam_conv", dropout=0.2), 8, 5)
