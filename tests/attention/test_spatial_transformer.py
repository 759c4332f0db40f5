"""Spatial transformer: the tutorial's counts, warps and the way back by hand, boxes from theta."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from wsol.attention.spatial_transformer import SpatialTransformer
from wsol.attention.warps import boxes_of, composed, inside, inverse, pulled_back, warped
from wsol.data.loading.loader import Batch
from wsol.errors import UserError
from wsol.maps.reading import MapReader
from wsol.models.factory import build_localizer
from wsol.recipe import AttentionSettings, BackboneSettings, DataSettings, Recipe
from wsol.scores.samples import Prediction

HALF = torch.tensor([[[0.5, 0.0, 0.5], [0.0, 0.5, -0.5]]])  # the upper right quarter
TURNED = torch.tensor([[[0.0, -0.6, 0.1], [0.8, 0.0, 0.0]]])


def fixed(module: SpatialTransformer, theta: torch.Tensor) -> None:
    with torch.no_grad():
        module.deciding[-1].bias.copy_(theta.flatten())


def recipe(at=("input",), side=32, **options) -> Recipe:
    return Recipe(
        data=DataSettings(input_size=side, resize_size=side),
        backbone=BackboneSettings("small_resnet", options={"widths": [4, 6, 8], "blocks": 1}),
        attention=AttentionSettings("stn", at=list(at), options=options),
    )


def test_the_localizer_has_the_tutorials_parameters():
    assert sum(parameter.numel() for parameter in SpatialTransformer(1).parameters()) == 5520


def test_at_28_pixels_the_means_are_the_tutorials_own_features():
    module = SpatialTransformer(1)
    seen = module.seeing[:-1](torch.randn(2, 1, 28, 28))
    assert seen.shape[1:] == (10, 3, 3)
    torch.testing.assert_close(module.seeing[-1](seen), seen)


def test_a_fresh_one_changes_nothing():
    x = torch.randn(2, 5, 30, 28)
    found = SpatialTransformer(5).eval()(x)
    torch.testing.assert_close(found.features, x, atol=1e-4, rtol=0)
    assert (found.attention == 1).all() and SpatialTransformer(5).identity_start
    assert not SpatialTransformer(5, scale=0.5).identity_start


def test_places_are_exact_in_a_training_in_bf16():
    """In bf16 a grid of 224 places has not so many values: a fresh warp would shift most pixels."""
    x = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    module = SpatialTransformer(3)
    with torch.autocast("cpu", torch.bfloat16):
        found = module(x)
        both = composed(HALF, TURNED)
        back = pulled_back(found.attention, TURNED.expand(2, 2, 3))
    torch.testing.assert_close(found.features, x, atol=1e-4, rtol=0)
    assert found.theta.dtype == both.dtype == torch.float32
    torch.testing.assert_close(both, composed(HALF, TURNED), atol=0, rtol=0)
    torch.testing.assert_close(back, pulled_back(found.attention, TURNED.expand(2, 2, 3)))


def test_a_window_by_hand():
    """The upper right quarter of 4 x 4, twice as large: bilinear, and zeros beyond the frame."""
    x = torch.arange(16.0).view(1, 1, 4, 4)
    found = warped(x, HALF)[0, 0]

    def value(row, column):
        total = 0.0
        for i in (math.floor(row), math.floor(row) + 1):
            for j in (math.floor(column), math.floor(column) + 1):
                weight = (1 - abs(row - i)) * (1 - abs(column - j))
                total += weight * (float(x[0, 0, i, j]) if 0 <= i < 4 and 0 <= j < 4 else 0.0)
        return total

    for i in range(4):
        for j in range(4):
            out_y, out_x = (2 * i + 1) / 4 - 1, (2 * j + 1) / 4 - 1
            in_y, in_x = 0.5 * out_y - 0.5, 0.5 * out_x + 0.5
            expected = value((in_y + 1) * 2 - 0.5, (in_x + 1) * 2 - 0.5)
            assert found[i, j].item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("theta", [HALF, TURNED])
def test_the_inverse_leads_back(theta):
    points = torch.rand(7, 2) * 2 - 1

    def through(warp, places):
        return places @ warp[0, :, :2].T + warp[0, :, 2]

    torch.testing.assert_close(through(inverse(theta), through(theta, points)), points)
    torch.testing.assert_close(composed(theta, inverse(theta))[0, :, :2], torch.eye(2))
    first_then = through(HALF, through(theta, points))
    torch.testing.assert_close(through(composed(HALF, theta), points), first_then)
    assert composed(None, theta) is theta and composed(theta, None) is theta
    assert composed(None, None) is None


def test_a_map_goes_back_to_where_it_was_seen():
    """What lies in the upper right quarter is shown there, and the rest is the map's minimum."""
    maps = torch.tensor([[[-3.0, 5.0], [1.0, 2.0]]]).repeat_interleave(4, 1).repeat_interleave(4, 2)
    back = pulled_back(maps, HALF.clone())
    assert back.shape == (1, 8, 8)
    assert back[0, :4, 4:].tolist()[0][:2] == [-3, -3] and back[0, 0, 7] == 5 and back[0, 3, 7] == 2
    outside = torch.ones(8, 8, dtype=torch.bool)
    outside[:4, 4:] = False
    assert (back[0][outside] == -3).all()
    assert torch.equal(inside(HALF, (8, 8))[0], ~outside)
    assert pulled_back(maps, None) is maps
    several = torch.stack([maps, maps + 1], dim=1)
    torch.testing.assert_close(pulled_back(several, HALF)[:, 1], back + 1)


def test_boxes_by_hand():
    found = boxes_of(torch.cat([HALF, TURNED]))
    # Half sides .6 and .8 about (.1, 0): from -.5 to .7, from -.8 to .8; as shares (v + 1) / 2.
    expected = [[0.5, 0.0, 1.0, 0.5], [0.25, 0.1, 0.85, 0.9]]
    torch.testing.assert_close(found, torch.tensor(expected))
    far = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 2.0, 5.0]]])
    assert boxes_of(far).tolist() == [[0, 1, 1, 1]]  # clipped to the image: it sees nothing of it


def test_with_a_fixed_scale_it_only_moves():
    module = SpatialTransformer(3, scale=0.5)
    fixed(module, torch.tensor([[9.0, 9.0, 0.25], [9.0, 9.0, -0.5]]))
    theta = module.theta(torch.randn(2, 3, 28, 28))
    torch.testing.assert_close(theta[1], torch.tensor([[0.5, 0.0, 0.25], [0.0, 0.5, -0.5]]))


def test_class_maps_of_what_is_seen_lie_where_it_is():
    """The network on a quarter of the image, by hand: its maps, put back into that quarter."""
    torch.manual_seed(0)
    localizer = build_localizer(recipe(), 3).eval()
    fixed(localizer.attention_modules[0], HALF)
    images = torch.rand(2, 3, 32, 32)
    output = localizer(images)
    plain = build_localizer(recipe().changed(attention={"name": "none"}), 3).eval()
    plain.load_state_dict({k: v for k, v in localizer.state_dict().items() if "input" not in k})
    seen = plain(warped(images, HALF.expand(2, 2, 3)))
    torch.testing.assert_close(output.logits, seen.logits)
    size = seen.class_maps.shape[2]
    quarter = output.class_maps[:, :, : size // 2, size // 2 :]
    coarse = torch.nn.functional.avg_pool2d(seen.class_maps, 2)  # between four middles lies their mean
    torch.testing.assert_close(quarter, coarse, atol=1e-4, rtol=1e-4)
    least = seen.class_maps.amin(dim=(2, 3))
    assert torch.equal(output.class_maps[:, :, -1, 0], least)
    torch.testing.assert_close(output.window, HALF.expand(2, 2, 3))
    assert list(output.attention) == ["input"] and output.attention["input"].shape == (2, 32, 32)
    assert output.attention["input"][:, :16, 16:].all() and output.attention["input"].mean() == 0.25


def test_two_windows_are_one_in_the_other():
    torch.manual_seed(0)
    localizer = build_localizer(recipe(at=("input", "stage2"), localizer="small"), 3).eval()
    for module in localizer.attention_modules:
        fixed(module, HALF)
    output = localizer(torch.rand(1, 3, 32, 32))
    assert boxes_of(output.window)[0].tolist() == pytest.approx([0.75, 0.0, 1.0, 0.25])
    # The second module's own window is told in the image: half of the first one's.
    shown = output.attention["stage2"][0]
    assert shown.mean().item() == pytest.approx(1 / 16)


def test_the_window_is_a_prediction_without_a_threshold():
    localizer = build_localizer(recipe(), 3)
    fixed(localizer.attention_modules[0], HALF)
    localizer.class_keys = ["a", "b", "c"]
    batch = Batch(torch.rand(2, 3, 32, 32), torch.tensor([0, 1]), ["p", "q"], torch.arange(2), 2)
    found = list(MapReader(localizer, ["a", "b", "c"]).predictions([batch], "window"))
    assert [one.image_id for one in found] == ["p", "q"] and found[0].score_map is None
    in_pixels = found[1].at_size((100, 300))
    assert in_pixels.boxes.tolist() == [[150, 0, 300, 50]] and in_pixels.share_box is None
    whole = Prediction("p", 0, score_map=np.ones((2, 2)))
    assert whole.at_size((5, 5)) is whole


def test_a_window_is_scored_as_its_box():
    """The box of the upper right quarter is right where IoU with the true one reaches it, at any cut."""
    from wsol.evaluation.evaluator import evaluate
    from wsol.scores.protocol import protocol_named
    from wsol.scores.samples import Annotation

    true = np.array([[160.0, 0, 300, 60]], np.float32)  # 140 x 50 shared of 150 x 50 + 140 x 60
    annotation = Annotation("p", 0, (100, 300), true, true)
    box = np.array([0.5, 0, 1, 0.5], np.float32)
    found = evaluate([Prediction("p", 0, share_box=box)], {"p": annotation}, protocol_named("halfopen"))
    by_hand = 7000 / (7500 + 8400 - 7000)
    assert found["mean_iou"] == pytest.approx(100 * by_hand, abs=1)
    assert found["max_box_acc@0.7"] == 100


@pytest.mark.parametrize(
    ("options", "message"),
    [({"localizer": "tutoril"}, "'tutorial'"), ({"scale": 1.5}, "from 0 to 1")],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(UserError, match=message):
        SpatialTransformer(3, **options)


def test_too_small_features_are_named():
    with pytest.raises(UserError, match="needs 28 pixels a side, these features have 20x8"):
        SpatialTransformer(3)(torch.rand(1, 3, 20, 8))


def test_only_stages_modules_go_to_the_input():
    with pytest.raises(UserError, match="cannot go to the input"):
        build_localizer(recipe().changed(attention={"name": "se"}), 3)


def test_without_a_window_there_is_no_box():
    plain = build_localizer(recipe().changed(attention={"name": "none", "at": []}), 3)
    batch = Batch(torch.rand(1, 3, 32, 32), torch.tensor([0]), ["p"], torch.arange(1), 1)
    with pytest.raises(UserError, match="--attention stn"):
        list(MapReader(plain, None).predictions([batch], "window"))
