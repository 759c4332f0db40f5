"""Two-level attention: crops, parts and scores by hand, and whole maps against a slow plain version."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wsol.data.loading.loader import Batch
from wsol.errors import UserError
from wsol.maps import two_level
from wsol.maps.proposals.painting import SIDE
from wsol.maps.reading import MapReader
from wsol.maps.two_level import TwoLevel, crops, last_filters, part_scores, parts_of
from wsol.models.factory import build_localizer
from wsol.recipe import AttentionSettings, BackboneSettings, DataSettings, Recipe

KEYS = ["a", "b", "c"]
BOXES = {
    "x": np.array([[0, 0, 1, 0.5], [0.25, 0.25, 0.75, 1], [0.5, 0, 1, 1]], np.float32),
    "y": np.zeros((0, 4), np.float32),
}


@pytest.fixture
def localizer():
    torch.manual_seed(0)
    backbone = BackboneSettings("small_resnet", options={"widths": [4, 6, 8], "blocks": 1})
    recipe = Recipe(data=DataSettings(input_size=32, resize_size=32), backbone=backbone)
    found = build_localizer(recipe, 3, KEYS).eval()
    with torch.no_grad():
        found.head.classifier.weight.mul_(30)  # else every crop is of every class
    return found


@pytest.fixture
def batch():
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    images[0, :, :16] *= 4  # or all of its crops would be much of one class
    images[0, 2] *= -1
    images[2] = images[1]  # the padding of a last batch
    return Batch(images, torch.tensor([0, 2, 2]), ["x", "y", "y"], torch.arange(3), 2)


def maps(localizer, batch, source, monkeypatch):
    monkeypatch.setattr(two_level, "read_proposals", lambda images: BOXES)
    reader = MapReader(localizer, KEYS, images=object())
    return {one.image_id: one.score_map for one in reader.predictions([batch], source)}


def test_a_crop_at_half_the_side_is_the_pixels_where_nothing_is_scaled():
    image = torch.arange(3 * 8 * 8.0).view(3, 8, 8)
    quarter, whole = crops(image, torch.tensor([[0.5, 0.25, 1, 0.75], [0, 0, 1, 1.0]]))
    torch.testing.assert_close(quarter, image[:, 2:6, 4:8], atol=1e-4, rtol=0)
    means = torch.nn.functional.avg_pool2d(image, 2)  # bilinear at a half is the mean of four
    torch.testing.assert_close(whole, means, atol=1e-4, rtol=0)


def test_the_object_level_against_a_slow_plain_version(localizer, batch, monkeypatch):
    found = maps(localizer, batch, "two_level:object", monkeypatch)
    scores = []
    for x0, y0, x1, y1 in BOXES["x"]:
        crop = batch.images[0][:, int(y0 * 32) : int(y1 * 32), int(x0 * 32) : int(x1 * 32)]
        resized = torch.nn.functional.interpolate(crop[None], (16, 16), mode="bilinear")
        with torch.no_grad():
            scores.append(float(localizer(resized).logits.softmax(1)[0, 0]))
    kept = [score if score >= 0.5 * max(scores) else 0 for score in scores]
    assert sorted(score > 0 for score in kept) == [False, True, True]
    wanted = np.zeros((SIDE, SIDE))
    for (x0, y0, x1, y1), score in zip((BOXES["x"] * SIDE).astype(int), kept, strict=True):
        wanted[y0:y1, x0:x1] += score - np.mean(kept)
    # No crop is enlarged: sampling sees no pixel beyond a box's edge, which a cut-out has not.
    np.testing.assert_allclose(found["x"], wanted, atol=1e-5)
    assert list(found) == ["x", "y"] and not found["y"].any()


def test_the_part_level_scores_what_the_object_level_keeps(localizer, batch, monkeypatch):
    found = maps(localizer, batch, "two_level", monkeypatch)["x"]
    with torch.no_grad():
        output = localizer(crops(batch.images[0], torch.from_numpy(BOXES["x"])))
    shown = output.logits.softmax(1)[:, 0].numpy()
    responses = output.features.amax((2, 3)).numpy()
    parts = parts_of(last_filters(localizer))
    detectors = np.array([[row[parts == part].sum() for part in range(3)] for row in responses])
    spread = (detectors - detectors.min(0)) / (detectors.max(0) - detectors.min(0))
    scores = np.where(shown >= 0.5 * shown.max(), spread.mean(1), 0)
    wanted = np.zeros((SIDE, SIDE))
    for (x0, y0, x1, y1), score in zip((BOXES["x"] * SIDE).astype(int), scores, strict=True):
        wanted[y0:y1, x0:x1] += score - scores.mean()
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_parts_are_groups_of_filters_that_point_one_way():
    rng = np.random.default_rng(0)
    directions = np.eye(3, 20)
    truth = rng.permutation(np.repeat(np.arange(3), 8))
    filters = directions[truth] * rng.uniform(0.1, 9, (24, 1)) + rng.normal(0, 0.005, (24, 20))
    found = parts_of(filters)
    pairs = {(int(a), int(b)) for a, b in zip(truth, found, strict=True)}
    assert len(pairs) == 3 and (parts_of(filters) == found).all()


def test_every_detector_counts_alike():
    responses = np.array([[0, 100, 0], [1, 300, 0], [0.5, 100, 0]])
    found = part_scores(responses, np.array([0, 1, 2]))  # the third responds to nothing
    np.testing.assert_allclose(found, [0, 2 / 3, 0.5 / 3])


def test_the_filters_are_those_of_the_last_features(localizer):
    assert last_filters(localizer).shape == (8, 8 * 9)


@pytest.mark.parametrize("attention", ["se", "cbam", "gc", "plain"])
def test_the_filters_of_a_gate_are_none_of_them(attention):
    """The last block ends with a gate, whose layers have as many channels as the features."""
    recipe = Recipe(
        data=DataSettings(input_size=32, resize_size=32),
        backbone=BackboneSettings("small_resnet", options={"widths": [4, 8], "blocks": 1}),
        attention=AttentionSettings(attention),
    )
    assert last_filters(build_localizer(recipe, 3, KEYS)).shape == (8, 8 * 9)


@pytest.mark.parametrize("name", ["resnext50_32x4d", "seresnet50"])
def test_the_filters_of_the_library_s_networks(name):
    """A bottleneck's last convolution has 512 channels in on SENet, and twice as many on ResNeXt."""
    data = DataSettings(input_size=64, resize_size=64)
    with torch.device("meta"):
        recipe = Recipe(data=data, backbone=BackboneSettings(name))
        localizer = build_localizer(recipe, 3, KEYS, load_weights=False)
    stage = localizer.backbone.stages[localizer.backbone.last_maps]
    convolution = [
        own for path, own in stage.named_modules() if path.endswith("conv3") and own.out_channels == 2048
    ][-1]
    with torch.device("cpu"):
        localizer.to_empty(device="cpu")
    assert last_filters(localizer).shape == (2048, convolution.in_channels)


def test_a_network_that_reads_no_smaller_images_is_told(batch):
    data = DataSettings(input_size=32, resize_size=32)
    vit = build_localizer(Recipe(data=data, backbone=BackboneSettings("small_vit")), 3, KEYS)
    source = TwoLevel("two_level:object", "object")
    source._boxes = BOXES
    with pytest.raises(UserError, match="small_vit does not read images of side 16"), source.ready(vit):
        pass


def test_features_of_two_convolutions_have_no_parts():
    data = DataSettings(input_size=64, resize_size=64)
    squeezenet = build_localizer(Recipe(data=data, backbone=BackboneSettings("squeezenet1_1")), 3, KEYS)
    with pytest.raises(UserError, match=r"no single convolution .* take --maps two_level:object"):
        last_filters(squeezenet)


def test_without_a_manifest_there_is_nothing_to_read(localizer, batch):
    with pytest.raises(UserError, match=r"two_level reads the proposals .*wsol propose"):
        list(MapReader(localizer, KEYS).predictions([batch], "two_level"))


def test_there_are_two_levels():
    with pytest.raises(UserError, match=r"'two_level:part': there are two_level and two_level:object"):
        two_level.TwoLevel("two_level:part", "part")
