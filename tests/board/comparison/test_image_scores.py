from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from wsol.board import read_board, write_board
from wsol.board.comparison.image_scores import CURVE_THRESHOLDS, accuracy_curves, read_arrays, row_scores
from wsol.board.rows.rows import group
from wsol.board.runs.reading import read_runs
from wsol.errors import UserError
from wsol.files.array_file import deterministic_npz
from wsol.scores.array_size import most_bytes_of
from wsol.scores.level_counts import level_counts, to_bytes
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation

GENERATOR = np.random.default_rng(7)
COUNT = 60
THRESHOLDS = {"max_box_acc@0.5": 0.25, "max_box_acc_v2@0.3": 0.1, "gt_known_loc@0.5": 0.25}


def arrays(single: np.ndarray) -> PerImage:
    return PerImage(
        image_ids=np.array([f"image/{n}" for n in range(COUNT)]),
        labels=np.zeros(COUNT, np.int32),
        sizes=np.full((COUNT, 2), 100, np.int32),
        protocol=("choe2020", 1, 0.001),
        top1=(np.arange(COUNT) % 3 == 0).astype(np.int8),
        top5=np.ones(COUNT, np.int8),
        has_box=np.arange(COUNT) != 5,
        top=np.where(np.arange(COUNT) == 6, 0, 255).astype(np.uint8),
        single=single,
        all=GENERATOR.integers(0, 101, (COUNT, 256), dtype=np.uint8),
    )


@pytest.fixture
def stored(store):
    """Write a record with arrays beside it; gives both."""

    def write(name: str, single: np.ndarray, **arguments) -> PerImage:
        per_image = arrays(single)
        content = per_image.to_bytes()
        path: Path = store(
            name,
            arrays={"file": f"{name}.npz", "sha256": hashlib.sha256(content).hexdigest()},
            threshold={"policy": "oracle", "chosen_on": "test", "values": THRESHOLDS},
            **arguments,
        )
        path.with_suffix(".npz").write_bytes(content)
        return per_image

    return write


def random_single() -> np.ndarray:
    return GENERATOR.integers(0, 50_001, (COUNT, 256), dtype=np.uint16)


def test_scores_are_those_of_the_arrays_as_evaluation_made_them(stored, results):
    per_image = stored("cam", random_single())
    (run,) = read_runs(results / "runs")
    (row,) = group([run]).rows
    found = row_scores(row)
    assert found is not None
    scores = {
        metric: dict(zip(found.image_ids.tolist(), values.tolist(), strict=True))
        for metric, values in found.by_metric.items()
    }
    assert per_image.single is not None and per_image.all is not None
    of_boxes = {"max_box_acc@0.5", "max_box_acc_v2@0.3", "gt_known_loc@0.5", "top1_loc@0.5"}
    assert set(scores) == of_boxes | {"top1_acc"}
    for n in range(COUNT):
        assert scores["top1_acc"][f"image/{n}"] == (n % 3 == 0)
        if not per_image.has_box[n]:
            assert all(np.isnan(scores[metric][f"image/{n}"]) for metric in of_boxes)
            continue
        cut = int(0.25 * per_image.top[n])
        known = per_image.single[n, cut] / 50_000 >= 0.5
        assert scores["gt_known_loc@0.5"][f"image/{n}"] == known
        assert scores["top1_loc@0.5"][f"image/{n}"] == (known and n % 3 == 0)
        cut = int(0.1 * per_image.top[n])
        assert scores["max_box_acc_v2@0.3"][f"image/{n}"] == (per_image.all[n, cut] >= 30)


def test_the_curve_is_the_share_of_images_right_at_each_threshold(stored, results):
    per_image = stored("cam", random_single())
    (run,) = read_runs(results / "runs")
    found = accuracy_curves(run)
    assert found is not None and per_image.single is not None
    curve = found["0.7"]
    for place, threshold in enumerate(CURVE_THRESHOLDS):
        right = [
            per_image.single[n, int(threshold * per_image.top[n])] >= 35_000
            for n in range(COUNT)
            if per_image.has_box[n]
        ]
        assert curve[place] == pytest.approx(100 * np.mean(right))


def test_a_row_like_the_centred_box_is_marked_and_a_better_one_is_not(stored, results):
    chance = random_single()
    metrics = {"max_box_acc@0.5": 50.0}
    stored("center", chance, maps="center", what={"source": "center"}, metrics=metrics)
    stored("cam", random_single(), metrics=metrics)
    better = np.full((COUNT, 256), 40_000, np.uint16)
    stored("rfga", better, attention="rfga", metrics={"max_box_acc@0.5": 99.0})
    text = write_board(results)[1].read_text(encoding="utf-8")
    marks = {
        line.split("|")[3].strip(): "≈" in line for line in text.splitlines() if "| resnet50 |" in line
    }
    assert marks == {"none": True, "rfga": False}
    assert "1 better, 0 worse, 1 not distinguishable with these 59 images" in text
    (section,) = read_board(results).sections
    assert [row["attention"] for row in section.rows] == ["rfga", "", "none"]


def test_arrays_of_another_run_are_refused(stored, results):
    stored("cam", random_single())
    (results / "runs" / "cam.npz").write_bytes(b"other")
    with pytest.raises(UserError, match=r"cam.npz: not the arrays .*cam.json"):
        read_arrays(read_runs(results / "runs")[0])


def test_no_arrays_no_comparison(stored, results):
    stored("cam", random_single())
    (results / "runs" / "cam.npz").unlink()
    (section,) = read_board(results).sections
    assert section.against_center == {}


def test_the_sums_of_large_arrays_give_the_same_curves(stored, store, results):
    per_image = stored("cam", random_single())
    (run,) = read_runs(results / "runs")
    expected = accuracy_curves(run)
    assert expected is not None
    content = to_bytes(level_counts(per_image, protocol_named("choe2020")))
    sums = {"levels_file": "cam.levels.npz", "levels_sha256": hashlib.sha256(content).hexdigest()}
    (run.path.parent / "cam.levels.npz").write_bytes(content)
    (run.path.parent / "cam.npz").unlink()
    store("cam", arrays=run.record.arrays | sums)
    (run,) = read_runs(results / "runs")
    found = accuracy_curves(run)
    assert found is not None
    for delta in ("0.3", "0.5", "0.7"):
        np.testing.assert_allclose(found[delta], expected[delta])
    (run.path.parent / "cam.levels.npz").write_bytes(content[:-1])
    with pytest.raises(UserError, match="not the arrays"):
        accuracy_curves(run)


def test_arrays_that_unpack_to_more_than_the_images_of_the_record_need(store, results):
    """The record says how many images there are, and its hash agrees: nothing else does."""
    content = deterministic_npz({"has_box": np.zeros((2**20, 64), bool)})
    assert len(content) < 2**17
    sha256 = hashlib.sha256(content).hexdigest()
    path = store("cam", arrays={"file": "cam.npz", "sha256": sha256})
    path.with_suffix(".npz").write_bytes(content)
    (run,) = read_runs(results / "runs")
    tracemalloc.start()
    with pytest.raises(UserError, match=r"cam\.npz: .* 1048576 x 64 values of bool, which is too many"):
        read_arrays(run)
    assert tracemalloc.get_traced_memory()[1] < 2**21
    tracemalloc.stop()


@pytest.mark.parametrize("step", [0.001, 0.01, 1e-4])
def test_the_bound_holds_all_that_is_written(step):
    """Every array there may be, with names of file length, every byte of the counts used."""
    protocol, rng, n = protocol_named("choe2020", step), np.random.default_rng(0), 3
    one = np.ones((1, 4), np.float32)
    images = [Annotation(f"{row}{'é' * 250}/{'n' * 250}", 0, (9, 9), one) for row in range(n)]
    per_image = PerImage.empty(images, protocol, pixels=True)
    for counts in per_image.pixels:
        counts[:] = rng.integers(0, 2**32, counts.shape, np.uint32)
    content = per_image.to_bytes()
    again = PerImage.from_bytes(content, most_bytes_of(n, step) - 2**20)
    np.testing.assert_array_equal(again.positives, per_image.positives)
