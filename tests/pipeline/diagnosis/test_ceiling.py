"""The networks beside which rows are read: what they learn from, and how they are read."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from wsol.data.digits.drawing import draw
from wsol.data.digits.material import glyphs, textures
from wsol.data.digits.tests import digits_set
from wsol.data.layouts.digits import scene_of
from wsol.pipeline.diagnosis.ceiling import (
    in_class_maps,
    network_predictions,
    recipe_of,
    train_ceiling,
    training_masks,
    untrained,
)


@pytest.mark.parametrize("test", ["base", "parts", "context"])
def test_masks_are_those_of_the_training_images(digits_manifest, test):
    """The same scenes, so the same pixels as the files; each mask is brighter than what is around it."""
    manifest = digits_manifest(test)
    drawn_by = manifest.drawn
    digits = digits_set(drawn_by["test"], **drawn_by["options"])
    scene, draws = scene_of(digits, "train", 7, drawn_by["size"], drawn_by["seed"])
    (drawn,) = draw(scene, glyphs(0, "train"), textures(), drawn_by["size"], draws)
    masks = training_masks(manifest)
    assert masks.shape == (7, 64, 64) and masks.dtype == bool
    for pixels, mask, path, box in zip(
        drawn.pixels, masks, manifest.split("train").paths, drawn.boxes[:, 0], strict=True
    ):
        image = np.asarray(Image.open(path))
        np.testing.assert_array_equal(pixels, image)
        x0, y0, x1, y1 = box
        assert mask.sum() == mask[y0:y1, x0:x1].sum() > 0
        assert image[mask].mean() > image[y0:y1, x0:x1][~mask[y0:y1, x0:x1]].mean()


@pytest.mark.parametrize(("test", "dial"), [("base", {"distractors": 1}), ("parts", {"share": 0.25})])
def test_masks_of_a_training_set_of_one_setting_are_its_own(digits_manifest, test, dial):
    """Each object stands out of the ground in its own image, which masks of other images do not."""
    manifest = digits_manifest(test, taught=True, **dial)
    masks = training_masks(manifest)
    images = [np.asarray(Image.open(path)) for path in manifest.split("train").paths]
    gaps = [image[mask].mean() - image[~mask].mean() for image, mask in zip(images, masks, strict=True)]
    assert min(gaps) > 0


def test_the_share_of_each_cell_stands_in_the_map_of_the_class():
    masks = torch.zeros(2, 64, 64, dtype=torch.bool)
    masks[0, :8, :4] = True
    masks[1] = True
    found = in_class_maps(masks, torch.tensor([2, 0]), torch.Size((2, 3, 8, 8)))
    assert found[0, 2, 0, 0] == 0.5 and found[0].sum() == 0.5
    assert (found[1, 0] == 1).all() and found[1, 1:].sum() == 0


def test_the_untrained_network_is_that_of_its_seed(digits_manifest):
    manifest = digits_manifest("base")
    recipe = recipe_of(manifest)
    first, again = (untrained(recipe, manifest.class_keys).state_dict() for _ in range(2))
    other = untrained(recipe.changed(seed=1), manifest.class_keys).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_a_ceiling_trains_and_says_shares(digits_manifest):
    manifest = digits_manifest("base", images=14, train=64)
    recipe = recipe_of(manifest, epochs=1).changed(how={"device": "cpu"})
    localizer = train_ceiling(recipe, manifest)
    start = untrained(recipe, manifest.class_keys)
    assert any(
        not torch.equal(own, before)
        for own, before in zip(localizer.parameters(), start.parameters(), strict=True)
    )
    found = list(network_predictions(localizer, manifest.split("test"), recipe, shares=True))
    assert [one.label for one in found] == manifest.split("test").labels.tolist()
    for one in found:
        assert one.score_map is not None and one.score_map.shape == (8, 8)
        assert one.score_map.min() > 0 and one.score_map.max() < 1


def test_where_some_images_have_no_object_all_are_read_by_the_predicted_class(digits_manifest):
    """An untrained network cannot tell them: read by the true class where there is one, it would."""
    manifest = digits_manifest("none", images=28)
    recipe = recipe_of(digits_manifest("base")).changed(how={"device": "cpu"})
    localizer = untrained(recipe, manifest.class_keys)
    for one in network_predictions(localizer, manifest.split("test"), recipe):
        assert one.score_map is not None
        # The logits are the means of the class maps: the predicted one has the highest.
        assert one.top5 and one.score_map.mean() == pytest.approx(
            _highest_logit(localizer, one, manifest)
        )


def _highest_logit(localizer, prediction, manifest) -> float:
    split = manifest.split("test")
    path = split.paths[split.image_ids.index(prediction.image_id)]
    recipe = recipe_of(manifest)
    pixels = np.asarray(Image.open(path).convert("RGB"), np.float32).transpose(2, 0, 1) / 255
    mean, std = (np.array(each, np.float32)[:, None, None] for each in _normalisation(recipe))
    with torch.inference_mode():
        logits = localizer(torch.from_numpy((pixels - mean) / std)[None]).logits
    return float(logits.max())


def _normalisation(recipe):
    return recipe.weights.mean, recipe.weights.std
