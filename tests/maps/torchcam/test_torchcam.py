"""Each method of torchcam against its formula, written out with autograd on a small network."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wsol.data.loading.loader import Batch
from wsol.errors import UserError
from wsol.maps import MAPS
from wsol.maps.noise import generator_of_image
from wsol.maps.reading import MapReader
from wsol.maps.torchcam.one_backward import METHODS
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

KEYS = ["a", "b", "c"]
LABELS = [2, 0, 1]
SOURCES = [name for name in MAPS if name.startswith("torchcam:")]
SOURCES += [f"torchcam:{method}" for method in METHODS]


def network(attention="none", widths=(4, 6, 8)):
    torch.manual_seed(3)
    backbone = {"name": "small_resnet", "options": {"widths": list(widths), "blocks": 1}}
    recipe = {"backbone": backbone, "attention": {"name": attention}, "data": {"input_size": 32}}
    found = build_localizer(Recipe.from_dict(recipe), 3, KEYS).eval()
    if attention == "none":
        with torch.no_grad():
            found.head.classifier.weight.mul_(50)
            found.head.classifier.bias.copy_(torch.tensor([0.3, -0.2, 0.5]))
    return found


@pytest.fixture
def model():
    return network()


@pytest.fixture
def batch():
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    images[3] = images[2]  # the padding of a last batch
    return Batch(images, torch.tensor([*LABELS, 1]), ["x", "y", "z", "z"], torch.arange(4), 3)


def maps(model, batch, source, groups=None, keys=KEYS):
    return [one.score_map for one in MapReader(model, keys, groups).predictions([batch], source)]


def gradients(model, images, labels):
    """Features of each stage and the gradients of the labels' logits in them."""
    features, x = [], images
    for stage in model.backbone.stages.values():
        x = stage(x)
        features.append(x)
    score = model.head(x).logits[range(len(labels)), labels].sum()
    return features, torch.autograd.grad(score, features)


def grad_cam(a, g):
    return torch.einsum("nk,nkhw->nhw", g.mean(dim=(2, 3)), a).relu()


def grad_cam_pp(a, g):
    """torchcam 0.5.0's own: alpha is the numerator alone."""
    alpha = g**2
    if version("torchcam") != "0.5.0":
        alpha = alpha / (2 * g**2 + (a * g**3).sum(dim=(2, 3), keepdim=True) + 1e-8)
    weight = (torch.where(g == 0, torch.zeros(()), alpha) * g.relu()).sum(dim=(2, 3))
    return torch.einsum("nk,nkhw->nhw", weight, a).relu()


def layer_cam(a, g):
    return (g.relu() * a).sum(dim=1).relu()


def x_grad_cam(a, g):
    share = (g * a).sum(dim=(2, 3)) / (a.sum(dim=(2, 3)) + 1e-8)
    return torch.einsum("nk,nkhw->nhw", share, a).relu()


@pytest.mark.parametrize(
    ("method", "formula"),
    [
        ("GradCAM", grad_cam),
        ("GradCAMpp", grad_cam_pp),
        ("LayerCAM", layer_cam),
        ("XGradCAM", x_grad_cam),
    ],
)
def test_one_backward_pass_gives_the_formula_of_the_method_not_normalised(model, batch, method, formula):
    features, grads = gradients(model, batch.images[:3], LABELS)
    wanted = formula(features[-1], grads[-1]).detach().numpy()
    found = maps(model, batch, f"torchcam:{method}")
    assert all(one.max() > 0 for one in found)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-7)


def test_cam_is_the_class_map_without_its_bias_and_keeps_its_sign(model, batch):
    found = np.stack(maps(model, batch, "torchcam:CAM"))
    bias = model.head.classifier.bias[LABELS].detach().numpy()
    np.testing.assert_allclose(
        found, np.stack(maps(model, batch, "cam")) - bias[:, None, None], rtol=1e-4, atol=1e-6
    )
    assert found.min() < 0


def test_refine_cam_is_the_product_of_normalised_maps_of_the_last_three_stages(batch):
    model = network(widths=(4, 4, 6, 8, 8))
    features, grads = gradients(model, batch.images[:3], LABELS)
    assert len(features) > 3
    several = []
    for a, g in list(zip(features, grads, strict=True))[-3:]:
        one = grad_cam_pp(a, g)
        one = one - one.amin(dim=(1, 2), keepdim=True)
        one = one / one.amax(dim=(1, 2), keepdim=True)
        several.append(F.interpolate(one[:, None], features[-3].shape[2:], mode="bilinear")[:, 0])
    wanted = (several[0] * several[1] * several[2]).detach().numpy()
    np.testing.assert_allclose(maps(model, batch, "torchcam:RefineCAM"), wanted, atol=1e-5)


def test_score_cam_against_a_loop_over_channels(model, batch):
    found = maps(model, batch, "torchcam:ScoreCAM")
    for image, label, one in zip(batch.images, LABELS, found, strict=False):
        with torch.no_grad():
            features = model.last_features(image[None])[0]
            plain = model(image[None]).logits[0, label]
            gains = []
            for channel in features:
                mask = (channel - channel.min()) / (channel.max() - channel.min() + 1e-8)
                mask = F.interpolate(mask[None, None], (32, 32), mode="bilinear")[0]
                gains.append(model((image * mask)[None]).logits[0, label] - plain)
            weights = torch.stack(gains).softmax(dim=0)
            wanted = sum(
                weight * channel for weight, channel in zip(weights, features, strict=True)
            ).relu()
        np.testing.assert_allclose(one, wanted.numpy(), rtol=1e-3, atol=1e-6)


def test_smooth_grad_cam_pp_draws_by_the_image_and_shows_its_last_noisy_copy(model, batch):
    found = maps(model, batch, "torchcam:SmoothGradCAMpp")
    ids = zip(batch.image_ids, batch.images, LABELS, found, strict=False)
    for image_id, image, label, one in ids:
        generator = generator_of_image(image_id)
        a_plain = model.last_features(image[None])
        square = cube = 0
        for _ in range(4):
            noisy = image[None] + 0.3 * torch.randn(1, 3, 32, 32, generator=generator)
            features, grads = gradients(model, noisy, [label])
            a, g = features[-1], grads[-1]  # of the last copy, in the end
            square, cube = square + g**2 / 4, cube + g**3 / 4
        alpha = square / (2 * square + (cube * a_plain).sum(dim=(2, 3), keepdim=True) + 1e-8)
        weights = (alpha * g.relu()).sum(dim=(2, 3))
        wanted = torch.einsum("nk,nkhw->nhw", weights, a).relu()[0]
        np.testing.assert_allclose(one, wanted.detach().numpy(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("source", ["torchcam:ScoreCAM", "torchcam:SmoothGradCAMpp"])
def test_a_map_is_the_same_to_the_bit_whatever_else_is_in_the_batch(model, batch, source):
    together = maps(model, batch, source)
    alone = Batch(batch.images[1:2], batch.labels[1:2], ["y"], torch.zeros(1), 1)
    torch.manual_seed(11)
    np.testing.assert_array_equal(maps(model, alone, source)[0], together[1])


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_left_on_the_network_even_where_reading_fails(model, batch, source):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(7)
    state = torch.get_rng_state()
    maps(model, batch, source)
    labels = batch.labels.clamp(max=1)
    with pytest.raises(UserError, match=r"reads one class an image; evaluation.classes has several"):
        groups = {"ab": ["a", "b"]}
        maps(model, batch._replace(labels=labels), source, groups, ["ab", "c"])
    for module in model.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks
        assert not module._backward_hooks and not module.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_what_a_network_has_not_is_refused(batch):
    with pytest.raises(UserError, match=r"torchcam:CAM reads a head of pooling and one linear layer"):
        maps(network("ltpa"), batch, "torchcam:CAM")
    with pytest.raises(
        UserError, match=r"looks at a window of the image: take --maps torchcam:GradCAMpp"
    ):
        maps(network("stn"), batch, "torchcam:RefineCAM")
    with pytest.raises(UserError, match=r"unknown torchcam method 'ScoreCam': did you mean 'ScoreCAM'"):
        maps(network(), batch, "torchcam:ScoreCam")
