"""dasNet: gains by hand, a plain network where nothing is gained, a policy that helps is found."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from wsol.errors import UserError
from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.models.gained_localizer import GainedLocalizer, gains_of
from wsol.recipe import (
    AttentionSettings,
    BackboneSettings,
    DataSettings,
    HeadSettings,
    MethodSettings,
    Recipe,
)


@pytest.fixture
def make():
    """A method around a small network in evaluation mode."""

    def build(attention="none", head="cam", widths=(4, 6), **options):
        torch.manual_seed(2)
        recipe = Recipe(
            data=DataSettings(input_size=32, resize_size=32),
            backbone=BackboneSettings("small_resnet", options={"widths": list(widths), "blocks": 1}),
            attention=AttentionSettings(attention),
            head=HeadSettings(head),
            method=MethodSettings("dasnet", options),
        )
        return build_method(recipe, build_localizer(recipe, 3)).eval()

    return build


def test_gains_by_hand():
    """Two channels, one class: softmax over one class is 1, so s is (m1, m2, 1) in the first pass."""
    means = torch.tensor([[2.0, 1.0]])
    linear = torch.tensor([[0.5, -0.5]]), torch.tensor([0.1])
    into = torch.tensor([[0.1, 0.2, 0.3], [0.0, -0.1, 0.4]])
    out = torch.eye(2)
    action = [0.1 * 2 + 0.2 * 1 + 0.3, -0.1 + 0.4]  # 0.7 and 0.3
    share = math.exp(0.7) / (math.exp(0.7) + math.exp(0.3))
    assert action == pytest.approx([0.7, 0.3])
    second = [2 * share, 2 * (1 - share)]
    assert gains_of(means, linear, (out, into), 1)[0].tolist() == [1, 1]
    assert gains_of(means, linear, (out, into), 2)[0].tolist() == pytest.approx(second)
    seen = [second[0] * 2, second[1] * 1, 1.0]
    third = [sum(w * s for w, s in zip(row, seen, strict=True)) for row in into.tolist()]
    share = math.exp(third[0]) / (math.exp(third[0]) + math.exp(third[1]))
    found = gains_of(means, linear, (out, into), 3)[0].tolist()
    assert found == pytest.approx([2 * share, 2 * (1 - share)])


def test_several_policies_at_once_are_each_by_itself():
    torch.manual_seed(0)
    means, linear = torch.rand(5, 4), (torch.randn(3, 4), torch.randn(3))
    out, into = torch.randn(6, 4, 2), torch.randn(6, 2, 7)
    together = gains_of(means, linear, (out, into), 3)
    for number in range(6):
        alone = gains_of(means, linear, (out[number], into[number]), 3)
        torch.testing.assert_close(together[number], alone)
    torch.testing.assert_close(together.mean(dim=2), torch.ones(6, 5))


@pytest.mark.parametrize("attention", ["none", "se", "rfga"])
def test_without_a_policy_it_is_the_plain_network(make, attention):
    method = make(attention)
    images = torch.randn(2, 3, 32, 32)
    plain, gained = method.localizer(images), method.trained()(images)
    assert isinstance(method.trained(), GainedLocalizer)
    torch.testing.assert_close(gained.logits, plain.logits)
    torch.testing.assert_close(gained.class_maps, plain.class_maps)
    assert gained.attention.keys() == plain.attention.keys()


def test_what_a_window_shows_is_put_back_where_it_is(make):
    method = make("stn")
    with torch.no_grad():
        theta = torch.tensor([0.5, 0.0, 0.5, 0.0, 0.5, -0.5])
        method.localizer.attention_modules[0].deciding[-1].bias.copy_(theta)
    images = torch.rand(2, 3, 32, 32)
    plain, gained = method.localizer(images), method.trained()(images)
    torch.testing.assert_close(gained.class_maps, plain.class_maps)
    torch.testing.assert_close(gained.window, plain.window)
    assert gained.window is not None


def test_class_maps_are_those_of_the_last_pass(make):
    """By the head's own weights on weighed features, position by position."""
    method = make(passes=2)
    gained = method.trained()
    gained.policy_out.copy_(torch.eye(6))
    gained.policy_in.normal_(std=0.5)
    images = torch.randn(2, 3, 32, 32)
    plain, output = method.localizer(images), gained(images)
    features, head = plain.features, method.localizer.head.classifier
    seen = torch.cat([features.mean(dim=(2, 3)), plain.logits.softmax(dim=1)], dim=1)
    gains = 6 * (seen @ gained.policy_in.T).softmax(dim=1)
    maps = torch.einsum("kc,nc,nchw->nkhw", head.weight[:, :, 0, 0], gains, features)
    torch.testing.assert_close(output.class_maps, maps + head.bias[:, None, None])
    torch.testing.assert_close(output.logits, output.class_maps.mean(dim=(2, 3)))
    assert not torch.allclose(output.logits, plain.logits)


@pytest.mark.parametrize("options", [{}, {"rank": 2}])
def test_a_policy_that_helps_is_found(make, options):
    """A classifier whose strongest channel says the wrong class: fitness rises, and more for SNES."""
    method = make(generations=150, passes=2, width=0.3, right=1.0, **options)
    means = torch.rand(60, 6) + 0.2
    labels = torch.arange(60) % 3
    for label in range(3):
        means[labels == label, label] += 0.6  # what tells the class
    with torch.no_grad():
        method.localizer.head.classifier.weight.zero_()
        for label in range(3):
            method.localizer.head.classifier.weight[label, label] = 1.0
        method.localizer.head.classifier.weight[0, 5] = 2.0  # and a channel that always says the first

    class Features(torch.nn.Module):
        """In place of a network: rows of the means are the images."""

        def forward(self, rows):
            return SimpleNamespace(features=means[rows][:, :, None, None])

    head = method.localizer.head
    start = method._start()[None].float()
    before = method.fitness(start, means, labels)[0].item()
    method.localizer = Features()
    method.localizer.head = head
    method.after_training([(torch.arange(60), labels)])
    gained = method.gained
    weight, bias = head.classifier.weight[:, :, 0, 0], head.classifier.bias
    gains = gains_of(means, (weight, bias), (gained.policy_out, gained.policy_in), 2)
    logits = (gains * means) @ weight.T + bias
    after = -functional.cross_entropy(logits, labels).item()
    plain = functional.cross_entropy(means @ weight.T + bias, labels).item()
    assert before == pytest.approx(-plain)
    assert after > before + 0.3
    assert gains[:, 5].mean() < 0.5  # the channel that misleads is turned down


def test_random_search_keeps_the_best_that_it_drew(make):
    method = make(generations=3, search="random", passes=2)
    torch.manual_seed(0)
    images, labels = torch.randn(9, 3, 32, 32), torch.arange(9) % 3
    method.after_training([(images, labels)])
    means = method.localizer(images).features.mean(dim=(2, 3)).detach()
    policy = method.gained.policy_in.flatten()[None]
    policies = torch.cat([policy, torch.zeros_like(policy)])
    kept, none = method.fitness(policies, means, labels).tolist()
    assert kept >= none


def test_wrong_images_weigh_most(make):
    method = make(right=0.0, passes=1)
    means, labels = torch.rand(8, 6), torch.zeros(8, dtype=torch.long)
    head = method.localizer.head
    with torch.no_grad():
        head.classifier.weight.zero_()
        head.classifier.bias.copy_(torch.tensor([5.0, 0.0, 0.0]))
    point = torch.zeros(1, method._start().numel())
    assert method.fitness(point, means, labels).item() == 0  # all are right, and weigh nothing
    assert method.fitness(point, means, labels + 1).item() < -4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention": "ltpa", "widths": (4, 6, 8)}, "linear classifier"),
        ({"head": "cam_relu"}, "linear classifier"),
        ({"widths": (4, 130)}, "options.rank"),
        ({"search": "sness"}, "'snes'"),
        ({"passes": 0}, "1 or more"),
    ],
)
def test_what_it_cannot_do_is_named(make, options, message):
    with pytest.raises(UserError, match=message):
        make(**options)
