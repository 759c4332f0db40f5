"""The rows that stand beside every other, on squares whose figures can be had by hand."""

from __future__ import annotations

import pytest

from wsol.board import read_records
from wsol.pipeline.baselines import evaluate_baselines


def values(recipe, tmp_path) -> dict[str, dict]:
    evaluate_baselines(recipe)
    return {record.maps: record.metrics for record in read_records(tmp_path / "results" / "runs")}


def test_all_and_none_of_the_image_by_hand(tiny_recipe, squares_manifest, tmp_path):
    recipe = tiny_recipe.changed(
        data={"manifest": squares_manifest.as_posix()},
        evaluation={"protocol": "rubinstein2013", "masks": True, "step": 0.01},
    )
    found = values(recipe, tmp_path)
    assert set(found) == {"center", "gaussian", "background", "foreground"}
    object_share = 100 * 16 * 16 / (32 * 40)
    assert found["background"]["rubinstein_p"]["value"] == pytest.approx(100 - object_share)
    assert found["background"]["rubinstein_j"]["value"] == 0
    assert found["foreground"]["rubinstein_p"]["value"] == pytest.approx(object_share)
    assert found["foreground"]["rubinstein_j"]["value"] == pytest.approx(object_share)
    keys = {key for key in found["center"] if ":" in key}
    assert keys == {f"rubinstein_{figure}:{name}" for figure in "pj" for name in ("Car", "Horse")}
    for key in ("rubinstein_p", "rubinstein_j"):
        of_classes = [found["gaussian"][f"{key}:{name}"]["value"] for name in ("Car", "Horse")]
        assert found["gaussian"][key]["value"] == pytest.approx(sum(of_classes) / 2)
    # The squares lie around the centre: a centred shape finds more of them than the whole image.
    for name in ("center", "gaussian"):
        assert object_share < found[name]["rubinstein_j"]["value"] < 100


def test_boxes_alone_have_the_centred_box_alone(tiny_recipe, tmp_path):
    assert set(values(tiny_recipe, tmp_path)) == {"center"}
