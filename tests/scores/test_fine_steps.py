"""A grid finer than the 256 cuts is collapsed to them: the same figures and thresholds, no memory."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

from wsol.cli.main import main
from wsol.errors import UserError
from wsol.evaluation.evaluator import evaluate
from wsol.evaluation.split_scores import compute
from wsol.scores import level_counts, protocol, thresholds
from wsol.scores.iou_codes import ALL_UNITS, SINGLE_UNITS
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import ThresholdPolicy, protocol_named
from wsol.scores.samples import Annotation, Prediction

STEPS = (0.0005, 0.00049, 1 / 3000, 0.0011)


def spelled(step):
    return np.arange(0, 1, step)


def plain_lowest(step):
    """The first threshold of each cut, by a walk along the whole grid."""
    lowest, last = [], -1
    for threshold in spelled(step).tolist():
        cut = int(255 * threshold)
        if cut != last:
            lowest.append(threshold)
        last = cut
    return lowest


@pytest.mark.parametrize("step", [*STEPS, 0.003, 0.00390625, 0.0038, 0.01, 0.3, 1e-4, 3.3e-6])
def test_the_lowest_threshold_of_each_cut(step):
    assert thresholds.lowest_of_cuts(step).tolist() == plain_lowest(step)


@pytest.mark.parametrize("step", [1e-6, 1e-9, 7.7e-11, thresholds.FINEST])
def test_grids_that_nobody_can_spell(step):
    grid = thresholds.thresholds(step)
    assert [int(255 * each) for each in grid] == list(range(255))
    for cut, threshold in enumerate(grid.tolist()):
        number = round(threshold / step)
        assert number * step == threshold
        assert number == 0 or int(255 * ((number - 1) * step)) == cut - 1


@pytest.fixture
def collapsed(monkeypatch):
    """Collapse what is still spelled out otherwise."""

    def collapse():
        monkeypatch.setattr(thresholds, "FINEST_SPELLED", 0.1)

    return collapse


def arrays(step, n=60):
    rng = np.random.default_rng(3)
    one, none = np.ones((1, 4), np.float32), np.zeros((0, 4), np.float32)
    images = [Annotation(str(row), row % 3, (20, 30), one if row % 7 else none) for row in range(n)]
    per_image = PerImage.empty(images, protocol_named("choe2020", step), False)
    per_image.top[:] = np.where(np.arange(n) % 11, 255, 0)
    per_image.top5[:] = rng.random(n) < 0.8
    per_image.top1[:] = per_image.top5 & (rng.random(n) < 0.7)
    walk = np.cumsum(rng.integers(-2500, 2501, per_image.single.shape), axis=1) + 25_000
    per_image.single[:] = walk.clip(0, SINGLE_UNITS)
    per_image.all[:] = (per_image.single // 500 + rng.integers(0, 9, (n, 1))).clip(0, ALL_UNITS)
    return per_image


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("policy", ["oracle", "val", "fixed:0.35"])
def test_figures_intervals_and_thresholds_are_those_of_the_whole_grid(step, policy, collapsed):
    convention, per_image = protocol_named("choe2020", step), arrays(step)
    val = per_image if policy == "val" else None

    def found():
        scores = compute(per_image, convention, ThresholdPolicy.parse(policy), val=val, resamples=40)
        return scores.metrics, scores.optimism, scores.threshold

    assert len(convention.thresholds) == len(spelled(step))
    whole = found()
    collapsed()
    assert len(convention.thresholds) < 256
    assert found() == whole


def test_sums_at_thresholds(collapsed):
    convention, per_image = protocol_named("choe2020", 0.0005), arrays(0.0005)
    whole = level_counts.level_counts(per_image, convention)
    collapsed()
    few = level_counts.level_counts(per_image, convention)
    places = np.searchsorted(whole["thresholds"], few["thresholds"])
    np.testing.assert_array_equal(whole["thresholds"][places], few["thresholds"])
    for key in ("right_single", "right_all", "right_single_top1"):
        np.testing.assert_array_equal(whole[key][:, places], few[key])


def test_a_billion_thresholds_take_no_memory():
    rng = np.random.default_rng(0)
    box = np.array([[4, 4, 20, 20]], np.float32)
    images = [Annotation(str(row), 0, (32, 32), box, box) for row in range(5)]
    maps = [Prediction(str(row), 0, score_map=rng.random((8, 8))) for row in range(5)]
    tracemalloc.start()
    fine = evaluate(maps, images, protocol_named("halfopen", 1e-9))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 2**20  # spelled out, the grid alone is 8 GB
    coarse = evaluate(maps, images, protocol_named("halfopen", 1e-4))
    assert fine.metrics == coarse.metrics


@pytest.mark.parametrize("step", [0, -0.1, 1, 1.5, float("nan"), float("inf"), 1e-13, 5e-324])
def test_what_is_no_step_is_said(step):
    with pytest.raises(UserError, match=r"threshold step .* is not in \[1e-12, 1\)"):
        protocol_named("choe2020", step)
    with pytest.raises(UserError, match=r"threshold step .* is not in \[1e-12, 1\)"):
        thresholds.thresholds(step)


def test_masks_bound_the_step():
    """Histograms have a bin a step: before anything is read, and wherever pixels are counted."""
    fine = protocol_named("halfopen", 9e-5)
    masked = [Annotation("a", 0, (8, 8), masks=("never_read.png",))]

    def maps():
        raise AssertionError("a map was read")
        yield

    for refused in (
        lambda: evaluate(maps(), masked, fine),
        lambda: PerImage.empty(masked, fine, True),
        lambda: fine.bin_edges,
    ):
        with pytest.raises(UserError, match=r"9e-05 is too fine for masks.* choose 0\.0001 or more"):
            refused()
    assert len(protocol_named("halfopen", 1e-4).bin_edges) == 10_003
    assert protocol.FINEST_SPELLED == 1e-4


def test_the_command(tmp_path, capsys):
    rng = np.random.default_rng(1)
    (tmp_path / "manifest").mkdir()
    (tmp_path / "maps").mkdir()
    for name in "abc":
        np.save(tmp_path / "maps" / f"{name}.npy", rng.random((7, 7)))
    tables = {
        "images.csv": "image_id,path,label,width,height,split\n"
        + "".join(f"{name},{name}.png,0,40,30,test\n" for name in "abc"),
        "boxes.csv": "image_id,x0,y0,x1,y1,source_x0,source_y0,source_x1,source_y1\n"
        + "".join(f"{name},2,3,30,25,2,3,30,25\n" for name in "abc"),
        "masks.csv": "image_id,mask,ignore\n",
        "classes.csv": "label,name,key\n0,thing,thing\n",
    }
    for name, text in tables.items():
        (tmp_path / "manifest" / name).write_text(text)
    info = {"format": "wsol manifest 1", "dataset": "custom", "root": ".", "exif": False}
    (tmp_path / "manifest" / "manifest.json").write_text(json.dumps(info))
    command = ["evaluate", "--maps", str(tmp_path / "maps"), "--manifest", str(tmp_path / "manifest")]
    found = {}
    for step in ("1e-9", "1e-4"):
        output = tmp_path / step
        assert main([*command, "--step", step, "--output", str(output)]) == 0
        record = json.loads((output / "metrics.json").read_text())
        found[step] = record["metrics"]
        assert record["protocol"]["step"] == float(step)
    assert found["1e-9"] == found["1e-4"] and found["1e-9"]["max_box_acc@0.5"]["value"] is not None
    capsys.readouterr()
    assert main([*command, "--step", "1e-99"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
