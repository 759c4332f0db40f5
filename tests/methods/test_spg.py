"""SPG: masks by hand, who learns from whom, and that the branches are gone at test."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from wsol.errors import UserError
from wsol.methods.build import build_method, trained_localizer
from wsol.methods.spg import BACKGROUND, FOREGROUND, IGNORED, Said, guided, mask_of
from wsol.models.factory import build_localizer
from wsol.recipe import BackboneSettings, DataSettings, MethodSettings, Recipe

IMAGES = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
LABELS = torch.tensor([0, 2, 1])


def recipe(attention="none", widths=(4, 6, 8), **options) -> Recipe:
    small = {"width": 8, "side": 5, "deep": 7, **options}
    return Recipe(
        data=DataSettings(input_size=32, resize_size=32),
        backbone=BackboneSettings("small_resnet", options={"widths": list(widths), "blocks": 1}),
        method=MethodSettings("spg", small),
    ).changed(attention={"name": attention})


def built(own: Recipe):
    torch.manual_seed(0)
    return build_method(own, build_localizer(own, 3))


def test_masks_by_hand():
    maps = torch.full((1, 1, 10, 10), 0.3)
    maps[0, 0, :4] = 0.9
    maps[0, 0, 9] = 0.05
    mask = mask_of(maps, 0.7, 0.1)[0, 0]
    assert (mask[:4] == FOREGROUND).all() and (mask[9] == BACKGROUND).all()
    assert (mask[4:9] == IGNORED).all()


def test_where_few_pixels_are_sure_seven_tenths_of_the_maximum_are_taken():
    maps = torch.full((2, 1, 10, 10), 0.1)
    maps[0, 0, :5], maps[0, 0, 0, 0] = 0.5, 0.6  # 0.42 and above: all 50
    maps[1, 0, :3] = 0.9  # 30 are enough
    maps[1, 0, 3:5] = 0.65
    mask = mask_of(maps, 0.7, 0.2)
    assert (mask == FOREGROUND).flatten(1).sum(1).tolist() == [50, 30]
    assert (mask == IGNORED).flatten(1).sum(1).tolist() == [0, 20]


def test_a_branch_learns_only_from_what_supervises_it():
    """No gradient goes through a mask: each branch has that of its own loss alone."""
    generator = torch.Generator().manual_seed(2)
    class_maps = torch.randn(3, 4, 6, 6, generator=generator, requires_grad=True)
    said = Said(*(torch.randn(3, 1, 6, 6, generator=generator).requires_grad_() for _ in range(3)))
    losses = guided(class_maps, LABELS, said, ((0.7, 0.2), (0.6, 0.4), (0.6, 0.4)), (12, 12))
    for place, loss in enumerate(losses):
        found = torch.autograd.grad(loss, [*said, class_maps], allow_unused=True, retain_graph=True)
        assert [one is not None for one in found] == [place == other for other in range(4)]


def test_the_loss_is_four_and_the_class_map_is_the_cam_heads():
    method = built(recipe()).train()
    output = method.step(IMAGES, LABELS, "main")
    localizer = method.localizer
    logits = localizer(IMAGES).logits
    torch.testing.assert_close(output.logits, logits)
    parts = [output.log[f"{name}_loss"] for name in ("first", "second", "third")]
    torch.testing.assert_close(output.loss, functional.cross_entropy(logits, LABELS) + sum(parts))
    (gradient,) = torch.autograd.grad(output.log["first_loss"], next(method.branches.first.parameters()))
    assert gradient.abs().sum() > 0


def test_the_branches_are_gone_at_test():
    method = built(recipe())
    again = trained_localizer(recipe(), ["a", "b", "c"])
    state = method.trained().state_dict()
    assert not any("branches" in name for name in state)
    again.load_state_dict(state)
    torch.testing.assert_close(again.eval()(IMAGES).logits, method.trained().eval()(IMAGES).logits)


def test_branches_begin_where_they_are_told(monkeypatch):
    """The first after the first block of stage2, the second after the whole stage."""
    own = recipe(places=["stage2.0", "stage2"], third=3).changed(
        backbone={"options": {"widths": [4, 6, 8], "blocks": 2}}
    )
    method = built(own).eval()
    assert method.branches.third[0].out_channels == 3
    seen, forward = [], method.branches.forward
    monkeypatch.setattr(method.branches, "forward", lambda *own: seen.extend(own) or forward(*own))
    method.step(IMAGES, LABELS, "main")
    features, stages = IMAGES, dict(method.localizer.backbone.stages.items())
    for name in list(stages)[:-1]:
        features = stages[name](features)
    pooling, first, second = stages["stage2"].children()
    after_first = first(pooling(features))
    torch.testing.assert_close(seen[0], after_first)
    torch.testing.assert_close(seen[1], second(after_first))
    assert not torch.allclose(seen[0], seen[1])


def test_convolutions_have_dropout_around_them_if_asked():
    method = built(recipe(dropout=0.5))
    before = method.localizer.head.before
    kinds = [type(layer).__name__ for layer in before]
    assert kinds == ["Dropout", "Conv2d", "ReLU", "Dropout", "Conv2d", "ReLU", "Dropout"]
    assert [layer.p for layer in before if isinstance(layer, torch.nn.Dropout)] == [0.5] * 3


def test_without_convolutions_the_head_is_plain():
    assert isinstance(built(recipe(convolutions=0)).localizer.head.before, torch.nn.Identity)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (recipe("ltpa"), "no attention as head or in it"),
        (recipe().changed(attention={"name": "adl", "at": ["head"]}), "no attention as head or in it"),
        (recipe(dropout=1.0), "dropout 1.0 is from 0 to below 1"),
        (recipe(places=["stage3"]), "places are two"),
        (recipe(places=["stage1", "stage2.7"]), "has no place 'stage2.7'"),
        (recipe(widths=(4,)), "needs two stages: backbone small_resnet has one"),
        (recipe(thresholds=[[0.7, 0.1]]), "three pairs"),
        (recipe(thresholds=[[0.7, 0.1], [0.1, 0.7], [0.7, 0.1]]), "high and low"),
    ],
)
def test_where_it_cannot_be(own, said):
    with pytest.raises(UserError, match=said):
        built(own)
