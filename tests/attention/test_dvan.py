"""DVAN: a glance step by step, where canvases lie, and a penalty on what glances share."""

from __future__ import annotations

import pytest
import torch

from wsol.attention.dvan import CANVASES, DVAN, _laid_back, _merged, _overlap, theta_of
from wsol.attention.warps import boxes_of, warped
from wsol.errors import UserError
from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.recipe import AttentionSettings, BackboneSettings, DataSettings, Recipe

RECIPE = Recipe(
    data=DataSettings(input_size=32, resize_size=32),
    backbone=BackboneSettings("small_resnet", options={"widths": [4, 6], "blocks": 1}),
    attention=AttentionSettings("dvan", options={"canvases": 3, "hidden": 5}),
)


def test_canvases_are_the_whole_and_four_corners():
    x = torch.zeros(1, 1, 4, 4)
    boxes = [boxes_of(theta_of(window, x))[0].tolist() for window in CANVASES]
    corners = [[0, 0, 0.625, 0.625], [0.375, 0, 1, 0.625], [0, 0.375, 0.625, 1], [0.375, 0.375, 1, 1]]
    assert boxes == [[0, 0, 1, 1], *corners]


def test_a_pass_step_by_step():
    """With the LSTM's own equations, gate by gate."""
    torch.manual_seed(0)
    module = DVAN({"stage1": 3}, 4, canvases=2, hidden=5)
    x = torch.randn(2, 3, 8, 8)
    mean = x.flatten(2).mean(dim=2)
    hidden = torch.tanh(mean @ module.first_state.weight.T + module.first_state.bias)
    memory = torch.tanh(mean @ module.first_memory.weight.T + module.first_memory.bias)
    logits = []
    for window in CANVASES[:2]:
        canvas = warped(x, theta_of(window, x)).flatten(2)  # (2, 3, 64)
        place = torch.einsum("dc,ncp->ndp", module.of_place.weight[:, :, 0, 0], canvas)
        place = place + module.of_place.bias[:, None]
        seen = torch.tanh(place + (hidden @ module.of_state.weight.T)[:, :, None])
        scores = torch.einsum("d,ndp->np", module.score.weight[0, :, 0, 0], seen)
        mask = scores.exp() / scores.exp().sum(dim=1, keepdim=True)
        glance = torch.einsum("np,ncp->nc", mask, canvas)
        cell = module.remember
        gates = glance @ cell.weight_ih.T + cell.bias_ih + hidden @ cell.weight_hh.T + cell.bias_hh
        into, forget, new, out = gates.split(5, dim=1)
        memory = forget.sigmoid() * memory + into.sigmoid() * new.tanh()
        hidden = out.sigmoid() * memory.tanh()
        logits.append(hidden @ module.classifier.weight.T + module.classifier.bias)
    output = module({"stage1": x})
    torch.testing.assert_close(output.logits, (logits[0] + logits[1]) / 2)
    assert output.class_maps is None and list(output.attention) == ["score", "mask"]


def test_one_canvas_shows_its_own_scores():
    torch.manual_seed(0)
    module = DVAN({"stage1": 3}, 4, canvases=1, hidden=5)
    x = torch.randn(2, 3, 8, 8)
    shown = module({"stage1": x}).attention
    torch.testing.assert_close(shown["mask"].sum(dim=(1, 2)), torch.ones(2))
    torch.testing.assert_close(shown["score"].mean(dim=(1, 2)), torch.zeros(2), atol=1e-6, rtol=0)
    # The softmax keeps the order, and differences of scores are those of the logarithms.
    logs = shown["mask"].log()
    torch.testing.assert_close(
        shown["score"] - shown["score"][:, :1, :1], logs - logs[:, :1, :1], atol=1e-4, rtol=1e-4
    )
    assert module.overlap == 0


def test_a_mask_lies_where_its_canvas_does():
    x = torch.zeros(1, 1, 16, 16)
    theta = theta_of(CANVASES[4], x)  # the lower right
    laid = _laid_back(torch.full((1, 16, 16), 1 / 256), theta)
    assert laid.sum().item() == pytest.approx(1)
    assert (laid[0, :6] == 0).all() and (laid[0, :, :6] == 0).all() and (laid[0, 6:, 6:] > 0).all()


def test_overlap_by_hand():
    """Masks of one place share all or nothing; even ones over n places share 1 / n."""
    one, other = torch.zeros(1, 4, 4), torch.zeros(1, 4, 4)
    one[0, 0, 0] = other[0, 3, 3] = 1
    even = torch.full((1, 4, 4), 1 / 16)
    assert _overlap([one, one]).item() == 1 and _overlap([one, other]).item() == 0
    assert _overlap([even, even, one]).item() == pytest.approx(1 / 16 + 1 / 16)


def test_places_have_the_mean_of_what_sees_them():
    x = torch.zeros(1, 1, 8, 8)
    whole = torch.full((1, 8, 8), 1.0), theta_of(CANVASES[0], x)
    corner = torch.full((1, 8, 8), 4.0), theta_of(CANVASES[1], x)
    merged = _merged([whole, corner])[0]
    assert (merged[:5, :5] == 2.5).all() and (merged[5:] == 1).all() and (merged[:, 5:] == 1).all()


def test_the_penalty_is_part_of_the_loss_and_keeps_glances_apart():
    torch.manual_seed(0)
    recipe = RECIPE.changed(method={"name": "dvan", "options": {"weight": 300.0}})
    method = build_method(recipe, build_localizer(recipe, 3)).train()
    images, labels = torch.randn(6, 3, 32, 32), torch.tensor([0, 1, 2, 0, 1, 2])
    output = method(images, labels)
    plain = torch.nn.functional.cross_entropy(output.logits, labels)
    torch.testing.assert_close(output.loss, plain + 300 * method.glances().overlap)
    before = output.log["overlap"].item()
    optimizer = torch.optim.Adam(method.parameters(), lr=0.02)
    for _ in range(30):
        optimizer.zero_grad()
        method(images, labels).loss.backward()
        optimizer.step()
    assert method(images, labels).log["overlap"].item() < 0.8 * before


def test_its_scores_are_the_localizers_default_map():
    localizer = build_localizer(RECIPE, 3)
    output = localizer(torch.randn(2, 3, 32, 32))
    assert localizer.default_map == "score" and output.attention["score"].shape == (2, 16, 16)


@pytest.mark.parametrize("options", [{"canvases": 0}, {"canvases": 6}, {"hidden": 0}])
def test_bad_options_are_named(options):
    with pytest.raises(UserError, match="from 1 to 5"):
        DVAN({"stage1": 3}, 4, **options)


def test_the_penalty_needs_glances():
    recipe = RECIPE.changed(attention={"name": "se", "options": {}}, method={"name": "dvan"})
    with pytest.raises(UserError, match="--attention dvan"):
        build_method(recipe, build_localizer(recipe, 3))
