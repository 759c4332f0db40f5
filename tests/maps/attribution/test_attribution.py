"""Maps in pixels against plain gradients, a Riemann sum and a loop over squares."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from wsol.data.loading.loader import Batch
from wsol.errors import UserError
from wsol.maps import map_source
from wsol.maps.model_sources import resolve
from wsol.maps.noise import generator_of_image
from wsol.maps.reading import MapReader
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

KEYS = ["a", "b", "c"]
LABELS = [2, 0, 1]
SOURCES = ["saliency", "smoothgrad:2", "integrated_gradients:3", "occlusion:8"]

pytest.importorskip("captum", reason="captum is an extra: pip install wsol[captum]")


@pytest.fixture
def model():
    torch.manual_seed(3)
    backbone = {"name": "small_resnet", "options": {"widths": [4, 6, 8], "blocks": 1}}
    found = build_localizer(
        Recipe.from_dict({"backbone": backbone, "data": {"input_size": 32}}), 3, KEYS
    ).eval()
    with torch.no_grad():
        found.head.classifier.weight.mul_(50)
    return found


@pytest.fixture
def batch():
    images = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    return Batch(images, torch.tensor(LABELS), ["x", "y", "z"], torch.arange(3), 3)


def maps(model, batch, source, groups=None, keys=KEYS):
    return [one.score_map for one in MapReader(model, keys, groups).predictions([batch], source)]


def gradient(model, image, weights):
    """Of one image's weighted logits, (3, H, W)."""
    image = image.detach().clone().requires_grad_()
    (model(image[None]).logits[0] * weights).sum().backward()
    model.zero_grad()
    return image.grad


def one_hot(label):
    return torch.eye(3)[label]


def test_saliency_is_the_largest_absolute_gradient_of_the_colours(model, batch):
    for image, label, found in zip(batch.images, LABELS, maps(model, batch, "saliency"), strict=True):
        wanted = np.abs(gradient(model, image, one_hot(label)).numpy()).max(axis=0)
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-7)


def test_classes_that_stand_together_are_the_mean_of_their_logits(model, batch):
    labels = torch.tensor([0, 1, 0])
    found = maps(model, batch._replace(labels=labels), "saliency", {"ab": ["a", "b"]}, ["ab", "c"])
    wanted = gradient(model, batch.images[2], torch.tensor([0.5, 0.5, 0])).abs().amax(dim=0)
    np.testing.assert_allclose(found[2], wanted.numpy(), rtol=1e-4, atol=1e-7)


def test_smoothgrad_is_the_mean_gradient_of_copies_that_the_image_draws(model, batch):
    found = maps(model, batch, "smoothgrad:3")
    for image_id, image, label, one in zip(batch.image_ids, batch.images, LABELS, found, strict=True):
        generator = generator_of_image(image_id)
        sigma = 0.15 * (image.max() - image.min())
        copies = [image + sigma * torch.randn(3, 32, 32, generator=generator) for _ in range(3)]
        mean = torch.stack([gradient(model, copy, one_hot(label)) for copy in copies]).mean(dim=0)
        np.testing.assert_allclose(one, mean.abs().amax(dim=0).numpy(), rtol=1e-3, atol=1e-6)


def test_integrated_gradients_against_a_riemann_sum(model, batch):
    found = maps(model, batch, "integrated_gradients:100")
    for image, label, one in zip(batch.images[:1], LABELS, found, strict=False):
        total, steps = torch.zeros_like(image), 400
        for step in range(steps):
            total += gradient(model, image * (step + 0.5) / steps, one_hot(label)) / steps
        wanted = (total * image).sum(dim=0).abs().numpy()
        # The network has kinks, so that either sum is near the integral and none is it.
        assert np.abs(one - wanted).max() < 0.02 * wanted.max()
        assert np.corrcoef(one.ravel(), wanted.ravel())[0, 1] > 0.999


def test_integrated_gradients_add_up_to_what_the_image_adds_to_the_score(model, batch):
    import captum.attr

    source = map_source("integrated_gradients:100")
    shares = torch.eye(3)[LABELS]
    images = batch.images.clone().requires_grad_()
    found = source.resolved(model).attributions(captum.attr, images, shares)
    with torch.no_grad():
        added = ((model(batch.images).logits - model(torch.zeros(3, 3, 32, 32)).logits) * shares).sum(1)
    assert added.abs().min() > 0.01
    np.testing.assert_allclose(
        found.detach().sum(dim=(1, 2, 3)).numpy(), added.numpy(), rtol=0.03, atol=0.01
    )


@pytest.mark.parametrize(("source", "side"), [("occlusion", 5), ("occlusion:9", 9)])
def test_occlusion_against_a_loop_over_squares(model, batch, source, side):
    found = maps(model, batch, source)
    step = side // 2
    starts = [0]
    while starts[-1] + side < 32:
        starts.append(starts[-1] + step)
    for image, label, one in list(zip(batch.images, LABELS, found, strict=True))[:2]:
        total, count = np.zeros((32, 32)), np.zeros((32, 32))
        with torch.no_grad():
            plain = model(image[None]).logits[0, label]
            for y in starts:
                for x in starts:
                    hidden = image.clone()
                    hidden[:, y : y + side, x : x + side] = 0
                    loss = float(plain - model(hidden[None]).logits[0, label])
                    total[y : y + side, x : x + side] += loss
                    count[y : y + side, x : x + side] += 1
        np.testing.assert_allclose(one, total / count, atol=1e-4)


@pytest.mark.parametrize("source", SOURCES)
def test_a_map_belongs_to_its_image_and_nothing_is_left_on_the_network(model, batch, source):
    torch.manual_seed(7)
    state = torch.get_rng_state()
    together = maps(model, batch, source)
    alone = Batch(batch.images[1:2], batch.labels[1:2], ["y"], torch.zeros(1), 1)
    largest = np.abs(together[1]).max()
    np.testing.assert_allclose(maps(model, alone, source)[0], together[1], atol=1e-4 * largest)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert not batch.images.requires_grad


def test_the_predicted_class_is_read_in_pixels_too(model, batch):
    best = model(batch.images).logits.argmax(dim=1)
    found = maps(model, batch, "saliency@predicted")
    np.testing.assert_array_equal(found, maps(model, batch._replace(labels=best), "saliency"))


def test_without_captum_one_line_says_how_to_install_it(model, batch, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    with pytest.raises(UserError, match=r"^--maps saliency needs captum: pip install wsol\[captum\]$"):
        maps(model, batch, "saliency")
    with pytest.raises(UserError, match="needs captum"):  # when names are resolved, before any pass
        resolve("saliency+flip", model)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("saliency:2", "'saliency:2' takes no argument"),
        ("smoothgrad:0", "the number of copies must be a whole number from 1 on, as in smoothgrad:25"),
        ("integrated_gradients:-5", "the number of steps must be a whole number from 1 on"),
        ("occlusion:half", "the side of the square must be a whole number from 1 on"),
        ("occlusion:²", "the side of the square must be a whole number from 1 on"),
        ("occlusion:33", "the square is larger than the image of 32 pixels"),
    ],
)
def test_arguments_that_are_none(model, batch, source, message):
    with pytest.raises(UserError, match=message):
        maps(model, batch, source)
