"""Named regions: pixel AUC beside scikit-learn's, lift beside masks that are cut pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from wsol.errors import UserError
from wsol.evaluation.evaluator import collect, score
from wsol.evaluation.readings import readings_of
from wsol.evaluation.readings.regions import pixel_auc
from wsol.evaluation.score_map import normalise
from wsol.scores.metrics import metrics_of
from wsol.scores.protocol import ThresholdPolicy, protocol_named
from wsol.scores.regions import PAIRS, REGIONS
from wsol.scores.samples import Annotation, Prediction

HALFOPEN = protocol_named("halfopen", 0.01)
OBJECTS = {1: "object", 2: "distractor", 3: "context", 9: "wing"}
PARTS = {1: "deciding", 2: "rest", 3: "distractor"}


@pytest.fixture
def scene(tmp_path):
    """Makes images of 20 x 16 with blocks of codes, and coarse maps of few distinct values."""

    def make(names, n=8, lacking=()):
        rng = np.random.default_rng(len(names))
        annotations, predictions = [], []
        for row in range(n):
            codes = np.zeros((20, 16), np.uint8)
            for place, code in enumerate(names):
                if (row, code) not in lacking:
                    codes[4 * place : 4 * place + 4, row % 5 : row % 5 + 9] = code
            path = tmp_path / f"{len(names)}-{row}.png"
            Image.fromarray(codes).save(path)
            box = np.array([[row % 5, 0, row % 5 + 9, 4]], np.float32)
            annotations.append(
                Annotation(str(row), 0, (20, 16), box, box, parts=str(path), part_names=names)
            )
            score_map = rng.integers(0, 5, (5, 4)).astype(np.float32)
            score_map[0, 1:] += 4
            predictions.append(Prediction(str(row), 0, score_map=score_map))
        return predictions, annotations

    return make


def codes_at(annotation, frame):
    codes = np.array(Image.open(annotation.parts))
    return cv2.resize(codes, frame[::-1], interpolation=cv2.INTER_NEAREST)


def chosen(codes, names, region):
    """Pixels of a region by its codes; an object is its two parts where it is not named itself."""
    wanted = {"object": ("object", "deciding", "rest")}.get(region, (region,))
    held = [code for code, name in names.items() if name in wanted]
    return np.isin(codes, [0] if region == "ground" else held)


@pytest.mark.parametrize("names", [OBJECTS, PARTS], ids=["context", "parts"])
def test_each_auc_is_that_of_scikit_learn(scene, names):
    predictions, annotations = scene(names, lacking={(0, 1), (3, 3)})
    per_image = collect(predictions, annotations, HALFOPEN)
    scores = score(per_image, HALFOPEN, intervals=False)
    for column, (first, second) in enumerate(PAIRS):
        expected = []
        for prediction, annotation in zip(predictions, annotations, strict=True):
            codes = codes_at(annotation, (224, 224))
            pixels = normalise(prediction.score_map, (224, 224))
            one, other = chosen(codes, names, first), chosen(codes, names, second)
            both = np.concatenate([pixels[one], pixels[other]])
            truth = np.repeat([1, 0], [one.sum(), other.sum()])
            there = one.any() and other.any()
            expected.append(roc_auc_score(truth, both) if there else np.nan)
        found = per_image.readings["region_auc"][:, column]
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        key = f"auc_{first}_over_{second}"
        if np.isnan(expected).all():
            assert key not in scores.metrics
        else:
            assert scores[key] == pytest.approx(100 * np.nanmean(expected), abs=1e-4)


def test_ties_count_half():
    assert pixel_auc(np.array([1.0, 2.0]), np.array([1.0, 1.0, 3.0])) == 3 / 6
    assert pixel_auc(np.array([1.0]), np.array([1.0])) == 0.5
    assert np.isnan(pixel_auc(np.array([]), np.array([1.0])))


@pytest.mark.parametrize("names", [OBJECTS, PARTS], ids=["context", "parts"])
def test_lift_is_that_of_masks_cut_pixel_by_pixel(scene, names):
    predictions, annotations = scene(names, lacking={(0, 1), (3, 3)})
    # A cut at the top of a level, int(0.5 * 255) = 127: nothing inside a level is guessed.
    scores = score(
        collect(predictions, annotations, HALFOPEN), HALFOPEN, policy=ThresholdPolicy("fixed", 0.5)
    )
    for region in (name for name in REGIONS if name != "other"):
        sums = np.zeros(4)
        for prediction, annotation in zip(predictions, annotations, strict=True):
            here = chosen(codes_at(annotation, (224, 224)), names, region)
            mask = (normalise(prediction.score_map, (224, 224)) * 255).astype(np.uint8) > 127
            sums += [(mask & here).sum(), mask.sum(), here.sum(), mask.size] if here.any() else 0
        key = f"lift_{region}"
        if not sums.any():
            assert key not in scores.metrics
            continue
        found = scores.metrics[key]
        assert found["value"] == pytest.approx(sums[0] / sums[1] / (sums[2] / sums[3]))
        assert 0 <= found["low"] <= found["value"] <= found["high"]
        assert scores.specifications[key].unit == "ratio"
    assert ("lift_context" in scores.metrics) == (names is OBJECTS)


def test_between_the_values_of_a_level_the_lift_is_within_that_level(scene):
    predictions, annotations = scene(OBJECTS)
    scores = score(
        collect(predictions, annotations, HALFOPEN), HALFOPEN, policy=ThresholdPolicy("fixed", 0.3)
    )
    cut, bounds = int(0.3 * 255), []
    for at in (cut // 4 * 4 - 1, cut // 4 * 4 + 3, cut):
        inside = np.zeros(4)
        for prediction, annotation in zip(predictions, annotations, strict=True):
            here = codes_at(annotation, (224, 224)) == 1
            mask = (normalise(prediction.score_map, (224, 224)) * 255).astype(np.uint8) > at
            inside += [(mask & here).sum(), mask.sum(), here.sum(), mask.size]
        bounds.append(inside[0] / inside[1] / (inside[2] / inside[3]))
    assert scores["lift_object"] == pytest.approx(bounds[2], rel=0.01)


def test_under_the_oracle_lift_is_read_where_most_boxes_are_right(scene):
    predictions, annotations = scene(OBJECTS)
    scores = score(collect(predictions, annotations, HALFOPEN), HALFOPEN, intervals=False)
    values = scores.threshold["values"]
    assert values["lift_object"] == values["gt_known_loc@0.5"] == values["max_box_acc@0.5"]


def test_only_images_with_parts_count_and_only_known_names_are_asked(scene):
    predictions, annotations = scene(OBJECTS, n=3)
    bare = Annotation("bare", 0, (20, 16), annotations[0].boxes, annotations[0].boxes)
    without = Prediction("bare", 0, score_map=np.ones((2, 2), np.float32))
    per_image = collect([*predictions, without], [*annotations, bare], HALFOPEN)
    assert np.isnan(per_image.readings["region_auc"][3]).all()
    assert not per_image.readings["region_levels"][3].any()
    assert per_image.readings["region_levels"][:3].sum(axis=(1, 2)).tolist() == [224 * 224] * 3
    assert per_image.readings["region_levels"].dtype == np.uint16
    assert readings_of([bare], HALFOPEN) == []
    _, wings = scene({4: "wing"}, n=1)
    assert readings_of(wings, HALFOPEN) == []


def test_a_frame_of_more_pixels_has_wider_counts():
    large = Annotation("a", 0, (300, 300), parts="a.png", part_names=PARTS)
    (reading,) = readings_of([large], protocol_named("rubinstein2013"))
    assert reading.empty([large])["region_levels"].dtype == np.uint32


def test_a_parts_file_that_is_not_there_is_named(scene, tmp_path):
    predictions, annotations = scene(OBJECTS, n=2)
    (tmp_path / f"{len(OBJECTS)}-1.png").unlink()
    with pytest.raises(UserError, match=r"4-1\.png: no such parts file"):
        collect(predictions, annotations, HALFOPEN)


def test_image_scores_are_the_auc(scene):
    predictions, annotations = scene(OBJECTS, lacking={(0, 1)})
    per_image = collect(predictions, annotations, HALFOPEN)
    metric = metrics_of(HALFOPEN)["auc_object_over_ground"]
    found = metric.image_scores(per_image, 0.0)
    assert found is not None and np.isnan(found[0])
    scores = score(per_image, HALFOPEN, intervals=False)
    assert 100 * np.nanmean(found) == pytest.approx(scores["auc_object_over_ground"], abs=1e-6)
