"""ACoL: whose map erases, what is read at test, and where it cannot go."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from wsol.data.loading.loader import Batch
from wsol.errors import UserError
from wsol.maps.reading import MapReader
from wsol.methods.build import build_method, trained_localizer
from wsol.models.class_maps import stretched
from wsol.models.erasing_head import ErasingHead
from wsol.models.factory import build_localizer
from wsol.recipe import AttentionSettings, BackboneSettings, DataSettings, MethodSettings, Recipe

KEYS = ["a", "b", "c"]


def recipe(**options) -> Recipe:
    return Recipe(
        data=DataSettings(input_size=32, resize_size=32),
        backbone=BackboneSettings("small_resnet", options={"widths": [4, 6, 8], "blocks": 1}),
        method=MethodSettings("acol", {"width": 8, **options}),
    )


@pytest.fixture
def method():
    torch.manual_seed(0)
    return build_method(recipe(), build_localizer(recipe(), 3, KEYS))


IMAGES = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
LABELS = torch.tensor([0, 1, 2, 1])


def by_hand(head: ErasingHead, features: torch.Tensor, label: int) -> torch.Tensor:
    """The map of one image (1, C, h, w), step by step."""
    first = head.first(features).class_maps[0, label]
    first = (first - first.min()) / (first.max() - first.min())
    erased = features.clone()
    for y, x in torch.nonzero(first >= 0.7).tolist():
        erased[0, :, y, x] = 0
    second = head.second(erased).class_maps[0, label]
    second = (second - second.min()) / (second.max() - second.min())
    return torch.maximum(first, second)


@torch.no_grad()
def test_the_true_class_erases_where_it_is_known(method):
    localizer = method.eval().trained()
    batch = Batch(IMAGES, LABELS, list("wxyz"), torch.arange(4), 4)
    features = localizer.last_features(IMAGES)
    predicted = localizer(IMAGES).logits.argmax(1)
    assert (predicted != LABELS).any()
    for source, labels in (("cam", LABELS), ("cam@predicted", predicted)):
        found = list(MapReader(localizer, KEYS).predictions([batch], source))
        for index, one in enumerate(found):
            wanted = by_hand(localizer.head, features[index : index + 1], int(labels[index]))
            torch.testing.assert_close(torch.from_numpy(one.score_map), wanted)


@torch.no_grad()
def test_all_class_maps_are_erased_by_the_predicted_class(method):
    head = method.eval().localizer.head
    features = method.localizer.last_features(IMAGES)
    output = head(features)
    predicted = output.logits.argmax(1)
    for index, label in enumerate(predicted.tolist()):
        wanted = by_hand(head, features[index : index + 1], label)
        torch.testing.assert_close(output.class_maps[index, label], wanted)


def test_the_loss_is_both_branches_and_erasing_has_no_gradient(method):
    output = method.train().step(IMAGES, LABELS, "main")
    head = method.localizer.head
    features = method.localizer.last_features(IMAGES)
    first, second = head.branches(features, LABELS)
    wanted = functional.cross_entropy(first.logits, LABELS) + functional.cross_entropy(
        second.logits, LABELS
    )
    torch.testing.assert_close(output.loss, wanted)
    assert output.log["branch1_loss"] + output.log["branch2_loss"] == output.loss
    second.logits.sum().backward()
    assert all(one.grad is None for one in head.first.parameters())


def test_averaged_features_are_the_means_of_nine_places():
    head = ErasingHead(2, 3, width=4, averaged=True)
    features = torch.randn(1, 2, 5, 5)
    padded = functional.pad(features, (1, 1, 1, 1))
    means = torch.stack([padded[..., y : y + 5, x : x + 5] for y in range(3) for x in range(3)]).mean(0)
    plain = ErasingHead(2, 3, width=4)
    plain.load_state_dict(head.state_dict())
    torch.testing.assert_close(head(features).logits, plain(means).logits)


def test_a_constant_map_is_empty_and_erases_nothing():
    assert not stretched(torch.full((1, 1, 3, 3), 0.4)).any()


def test_trained_weights_are_loaded_into_the_two_branches(method):
    again = trained_localizer(recipe(), KEYS)
    again.load_state_dict(method.trained().state_dict())
    torch.testing.assert_close(again.eval()(IMAGES).logits, method.eval().trained()(IMAGES).logits)


def test_several_classes_at_once_are_refused(method):
    features = torch.randn(1, 8, 4, 4)
    with pytest.raises(UserError, match="one class an image"):
        method.localizer.head.map_of(features, [[0, 1]])


@pytest.mark.parametrize(
    ("attention", "options", "said"),
    [
        ("ltpa", {}, "take head.name cam, and no attention as head or in it"),
        ("none", {"drop_threshold": 2}, "drop_threshold 2 is from 0 to 1"),
        ("none", {"width": 0}, "width 0 at least 1"),
    ],
)
def test_where_it_cannot_be(attention, options, said):
    own = recipe(**options).changed(attention=AttentionSettings(attention).__dict__)
    with pytest.raises(UserError, match=said):
        build_method(own, build_localizer(own, 3, KEYS))


def test_attention_in_its_head_is_not_lost_without_a_word():
    own = recipe().changed(attention={"name": "adl", "at": ["head"]})
    with pytest.raises(UserError, match="no attention as head or in it"):
        build_method(own, build_localizer(own, 3, KEYS))
