"""TriLite: its trainable parameters, and its loss, gradient and map by a slow version in NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from wsol.data.loading.loader import Batch
from wsol.errors import UserError
from wsol.maps.model_sources import resolve
from wsol.maps.reading import MapReader
from wsol.methods.build import build_method, trained_localizer
from wsol.methods.trilite import unlikeliness
from wsol.models.factory import build_localizer
from wsol.recipe import BackboneSettings, DataSettings, MethodSettings, Recipe, TrainingSettings
from wsol.training.freezing import freeze, trained_parameters
from wsol.training.optimizer import build_optimizer

KEYS = ["a", "b", "c"]
SMALL = {"embed_dim": 24, "num_heads": 3, "depth": 2}


def recipe(backbone="vit_small_patch14_dinov2", size=56, network=SMALL, **options) -> Recipe:
    return Recipe(
        data=DataSettings(input_size=size, resize_size=size),
        backbone=BackboneSettings(backbone, options=network),
        method=MethodSettings("trilite", options),
        training=TrainingSettings(
            freeze="backbone", lr=1.0, attention_lr=5e-5, head_lr=5e-4, optimizer="adamw"
        ),
    )


def method_of(own, classes=3):
    torch.manual_seed(0)
    method = build_method(own, build_localizer(own, classes, KEYS[:classes], load_weights=False))
    freeze(own, method)
    return method


@pytest.mark.parametrize(("classes", "count"), [(200, 164_374), (1000, 780_374)])
def test_trainable_parameters_are_the_papers(classes, count):
    own = recipe(size=224, network={})
    with torch.device("meta"):
        method = build_method(own, build_localizer(own, classes, load_weights=False))
    freeze(own, method)
    assert trained_parameters(method) == count
    # By hand: 3x3 to three channels without bias, batch norm, two linear layers.
    assert count == 9 * 384 * 3 + 2 * 3 + 2 * (384 * classes + classes)


IMAGES = torch.randn(4, 3, 56, 56, generator=torch.Generator().manual_seed(1))
LABELS = [0, 2, 1, 2]


def tokens_before_norm(localizer, images):
    """What the last block gives, (N, 1 + 16, C), watched from outside."""
    kept = []
    block = localizer.backbone.tokens.blocks[-1]
    hook = block.register_forward_hook(lambda _, __, output: kept.append(output))
    with torch.no_grad():
        localizer(images)
    hook.remove()
    return kept[0].numpy().astype(np.float64)


def softmax(x, axis):
    x = np.exp(x - x.max(axis=axis, keepdims=True))
    return x / x.sum(axis=axis, keepdims=True)


def regions(given, tokens, *, training):
    """The softmax over three channels, (N, 3, 4, 4), place by place."""
    grid = tokens[:, 1:].reshape(len(tokens), 4, 4, -1)
    logits = np.zeros((len(tokens), 3, 4, 4))
    for y in range(4):
        for x in range(4):
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    if 0 <= y + dy < 4 and 0 <= x + dx < 4:
                        kernel = given["region.weight"][:, :, dy + 1, dx + 1]
                        logits[:, :, y, x] += grid[:, y + dy, x + dx] @ kernel.T
    for channel in range(3):
        own = logits[:, channel]
        mean, variance = (
            (own.mean(), own.var())
            if training
            else (given["norm.running_mean"][channel], given["norm.running_var"][channel])
        )
        own = (own - mean) / np.sqrt(variance + 1e-5)
        logits[:, channel] = own * given["norm.weight"][channel] + given["norm.bias"][channel]
    return softmax(logits, 1)


def loss_by_hand(given, tokens, alpha):
    shares = regions(given, tokens, training=True)
    losses = np.zeros(3)
    for number, label in enumerate(LABELS):
        patches = tokens[number, 1:]
        means = []
        for channel in (0, 1):
            weights = shares[number, channel].reshape(-1)
            means.append(
                sum(w * p for w, p in zip(weights, patches, strict=True)) / (weights.sum() + 1e-6)
            )
        linear = [given["of_region.weight"] @ mean + given["of_region.bias"] for mean in means]
        image = given["of_image.weight"] @ tokens[number, 0] + given["of_image.bias"]
        losses[0] -= np.log(softmax(image, 0)[label])
        losses[1] -= np.log(softmax(linear[0], 0)[label])
        losses[2] -= alpha * np.log(1 - softmax(linear[1], 0)[label] + 1e-7)
    return losses / len(LABELS)


@pytest.fixture
def method():
    found = method_of(recipe(alpha=7.0, dropout=0.0)).double().train()
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in found.regions.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return found


def test_loss_and_gradient_are_those_of_a_slow_version(method):
    images = IMAGES.double()
    tokens = tokens_before_norm(method.localizer, images)
    given = {name: one.numpy().copy() for name, one in method.regions.state_dict().items()}
    output = method.step(images, torch.tensor(LABELS), "main")
    wanted = loss_by_hand(given, tokens, 7.0)
    found = [output.log[f"{name}_loss"].item() for name in ("class", "foreground", "background")]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    assert output.loss.item() == pytest.approx(wanted.sum(), rel=1e-9)
    output.loss.backward()
    generator = np.random.default_rng(0)
    for name, parameter in method.regions.named_parameters():
        flat = given[name].reshape(-1)
        gradient = parameter.grad.numpy().reshape(-1)
        assert np.abs(gradient).max() > 1e-4
        for place in generator.choice(len(flat), size=min(6, len(flat)), replace=False):
            own, losses = flat[place], []
            for step in (1e-5, -1e-5):
                flat[place] = own + step
                losses.append(loss_by_hand(given, tokens, 7.0).sum())
            flat[place] = own
            slope = (losses[0] - losses[1]) / 2e-5
            assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-7), name
    assert all(one.grad is None for one in method.localizer.backbone.parameters())


def test_the_map_is_the_foreground_channel_of_no_class(method):
    localizer = method.localizer.eval()
    given = {name: one.numpy() for name, one in method.regions.state_dict().items()}
    wanted = regions(given, tokens_before_norm(localizer, IMAGES.double()), training=False)
    assert resolve("attention", localizer) == "attention:foreground"
    batch = Batch(IMAGES.double(), torch.tensor(LABELS), list("wxyz"), torch.arange(4), 4)
    for channel, name in enumerate(("foreground", "background", "neither")):
        found = MapReader(localizer, KEYS).predictions([batch], f"attention:{name}")
        for number, one in enumerate(found):
            np.testing.assert_allclose(one.score_map, wanted[number, channel], rtol=1e-5)
    with pytest.raises(UserError, match="no class maps: choose --maps attention"):
        list(MapReader(localizer, KEYS).predictions([batch], "cam"))


def test_tokens_are_those_before_the_last_norm_unless_asked(method):
    features, aside = method.localizer.tapped_pass(IMAGES.double())
    tokens = tokens_before_norm(method.localizer, IMAGES.double())
    np.testing.assert_allclose(features["stage4"].flatten(2).mT, tokens[:, 1:], rtol=1e-9)
    np.testing.assert_allclose(aside.prefix[:, 0], tokens[:, 0], rtol=1e-9)
    normed = method_of(recipe(normalised=True))
    features, _ = normed.localizer.tapped_pass(IMAGES)
    assert features["stage4"].mean(dim=1).abs().max() < 1e-5
    assert abs(tokens[:, 1:].mean(axis=2)).max() > 1e-3


def test_an_unlikely_class_costs_nothing_and_a_certain_one_stays_finite():
    logits = torch.tensor([[0.0, 0.0], [40.0, 0.0]])
    assert unlikeliness(logits[:1], torch.tensor([0])).item() == pytest.approx(np.log(2), rel=1e-5)
    assert unlikeliness(logits[1:], torch.tensor([1])).item() == pytest.approx(0, abs=1e-6)
    assert unlikeliness(logits[1:], torch.tensor([0])).item() == pytest.approx(-np.log(1e-7), rel=1e-5)


def test_the_class_tokens_classifier_has_the_heads_rate(method):
    own = recipe()
    [turn] = method.configure_optimizers(own.training)
    groups = build_optimizer(turn.trains, own.training).param_groups
    found = {group["name"]: (group["lr"], {id(one) for one in group["params"]}) for group in groups}
    assert found.keys() == {"attention", "head"}
    assert found["head"] == (5e-4, {id(one) for one in method.regions.of_image.parameters()})
    assert found["attention"][0] == 5e-5


def test_a_run_opened_again_shows_the_same(method):
    method = method.float().eval()
    own = recipe(alpha=7.0, dropout=0.0)
    again = trained_localizer(own, KEYS).eval()
    again.load_state_dict(method.trained().state_dict())
    with torch.no_grad():
        first, second = method.trained()(IMAGES), again(IMAGES)
    assert torch.equal(first.logits, second.logits)
    assert torch.equal(first.attention["foreground"], second.attention["foreground"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"backbone": {"name": "small_resnet", "options": {"widths": [4, 6]}}},
            "method trilite reads the class token .* small_resnet has none: take a ViT",
        ),
        ({"attention": {"name": "dvan"}}, "method trilite has a head of its own: take head.name cam"),
        ({"method": {"options": {"alpha": -1}}}, "alpha -1 must not be negative"),
        ({"method": {"options": {"dropout": 1.0}}}, r"dropout 1\.0 is from 0 to 1"),
        ({"training": {"freeze": ""}}, "set training.freeze backbone"),
        ({"training": {"head_from": "stage4"}}, "and no training.head_from"),
    ],
)
def test_where_it_cannot_be(change, said):
    own = recipe().changed(**change)
    with pytest.raises(UserError, match=said) as caught:
        build_method(own, build_localizer(own, 3, KEYS)).configure_optimizers(own.training)
    assert "\n" not in str(caught.value)


def test_gradients_of_the_class_are_read_before_the_last_block(method):
    """The class token's logits have no gradient at the last block's patch tokens."""
    localizer = method.float().localizer
    batch = Batch(IMAGES, torch.tensor(LABELS), list("wxyz"), torch.arange(4), 4)
    found = list(MapReader(localizer, KEYS).predictions([batch], "torchcam:GradCAM"))
    assert [one.score_map.shape for one in found] == [(4, 4)] * 4
    assert any(one.score_map.any() for one in found)


def test_the_committed_recipes_are_the_papers_settings():
    configs = Path(__file__).parents[2] / "configs" / "systems"
    own = Recipe.from_yaml(configs / "trilite.yaml")
    with torch.device("meta"):
        method = build_method(own, build_localizer(own, 200, load_weights=False))
        [turn] = method.configure_optimizers(own.training)
    freeze(own, method)
    assert trained_parameters(method) == 164_374
    rates = {one["name"]: one["lr"] for one in build_optimizer(turn.trains, own.training).param_groups}
    assert rates == {"attention": 5e-5, "head": 5e-4}
    small = Recipe.from_yaml(configs / "ts_cam.yaml")
    small_method = build_method(small, build_localizer(small, 7))
    assert small_method.localizer(torch.zeros(1, 3, 64, 64)).class_maps.shape == (1, 7, 8, 8)
