"""Maps that are not as maps should be: what is done with each, counted, and said."""

from __future__ import annotations

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.evaluation.evaluator import evaluate
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation, Prediction


@pytest.mark.parametrize(
    "value, count",
    [
        (np.nan, "nan_maps"),
        (np.inf, "infinite_maps"),
        (-np.inf, "infinite_maps"),
        (-3.0, "negative_maps"),
    ],
)
def test_odd_values_are_counted(value, count, with_map):
    score_map = np.zeros((4, 4))
    score_map[1:3, 1:3] = 1.0
    score_map[0, 0] = value
    result = with_map(score_map)
    assert result.counts == {count: 1}
    if count != "negative_maps":
        assert result["max_box_acc@0.3"] == 0.0


def test_what_a_notebook_shows_is_the_figures(with_map):
    score_map = np.zeros((10, 10))
    score_map[2:8, 2:8] = 1
    first, *lines = repr(with_map(score_map)).splitlines()
    assert first == "<Evaluation of 1 image, thresholds oracle"
    assert "  max_box_acc@0.5: 100.0" in lines and lines[-1].endswith(">")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_broken_map_is_named_at_once(value, capsys):
    """Whichever thread is first: that of the first image."""
    maps = [np.eye(4) for _ in range(20)]
    maps[7] = np.where(maps[7] == 1, value, 0)
    maps[12] = maps[7]
    true = np.array([[2, 2, 8, 8]], np.float32)
    truth = [Annotation(f"img{k}", 1, (10, 10), true, true) for k in range(20)]
    predictions = [Prediction(f"img{k}", 1, score_map=one) for k, one in enumerate(maps)]
    evaluate(predictions, truth, protocol_named("choe2020", 0.1), intervals=False)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("2 of 20 maps hold NaN or infinity") and line.endswith("first img7")


def test_constant_maps_have_no_box_but_the_references_one_pixel(with_map):
    assert with_map(np.full((4, 4), 7.0)).counts == {"constant_maps": 1}
    assert with_map(np.ones((4, 4)), boxes=[(0, 0, 1, 1)])["mean_iou"] == 0.0
    # 10 x 10 to 224 x 224: the inclusive box (0, 0, 22, 22) and the pixel (0, 0, 0, 0).
    mean = with_map(np.ones((4, 4)), boxes=[(0, 0, 1, 1)], convention="choe2020")["mean_iou"]
    assert mean == pytest.approx(100 / 23**2, abs=2e-3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8, bool])
def test_all_number_types_are_maps(dtype, with_map):
    score_map = np.zeros((10, 10), dtype)
    score_map[2:8, 2:8] = 1
    assert with_map(score_map)["max_box_acc@0.7"] == 100.0


@pytest.mark.parametrize(
    "score_map",
    [np.zeros(5), np.zeros((1, 5, 5)), np.zeros((0, 5)), np.full((3, 3), "x"), np.ones((3, 3), complex)],
)
def test_what_is_no_map_is_an_error_with_the_images_name(score_map, with_map):
    with pytest.raises(UserError, match=r"^a: score map has"):
        with_map(score_map)
