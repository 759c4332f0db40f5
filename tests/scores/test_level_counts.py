"""The sums that stand for large arrays, against loops over images and thresholds."""

import numpy as np
import pytest

from wsol.evaluation.evaluator import evaluate
from wsol.files.array_file import unpack
from wsol.scores.level_counts import level_counts, to_bytes
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation, Prediction

PROTOCOL = protocol_named("choe2020", 0.05)


@pytest.fixture(scope="module")
def evaluation():
    rng = np.random.default_rng(4)
    annotations, predictions = [], []
    for number in range(20):
        x, y = rng.integers(0, 60, 2)
        box = np.array([[x, y, x + rng.integers(10, 40), y + rng.integers(10, 40)]], np.float32)
        boxes = box if number != 3 else np.zeros((0, 4), np.float32)
        annotations.append(Annotation(f"{number}", 0, (100, 100), boxes, boxes))
        score_map = rng.random((7, 7)).astype(np.float32) if number != 5 else np.ones((7, 7), np.float32)
        predictions.append(Prediction(f"{number}", 0, (0, 1) if number % 4 else (1, 0), score_map))
    return evaluate(predictions, annotations, PROTOCOL, intervals=False)


def test_counts_are_those_of_a_loop(evaluation):
    per_image = evaluation.per_image
    counts = level_counts(per_image, PROTOCOL)
    assert counts["images"] == 19
    assert counts["right_single"].shape == (3, 20)
    for d, percent in enumerate((30, 50, 70)):
        for t, threshold in enumerate(np.arange(0, 1, 0.05)):
            rows = [n for n in range(20) if per_image.has_box[n]]
            cut = {n: int(threshold * per_image.top[n]) for n in rows}
            single = [n for n in rows if per_image.single[n, cut[n]] / 50_000 >= percent / 100]
            every = [n for n in rows if per_image.all[n, cut[n]] / 100 >= percent / 100]
            assert counts["right_single"][d, t] == len(single)
            assert counts["right_all"][d, t] == len(every)
            assert counts["right_single_top1"][d, t] == sum(n % 4 > 0 for n in single)


def test_metrics_follow_from_them(evaluation):
    counts = level_counts(evaluation.per_image, PROTOCOL)
    best = 100 * counts["right_single"].max(axis=1) / counts["images"]
    for value, key in zip(best, ("0.3", "0.5", "0.7"), strict=True):
        assert evaluation[f"max_box_acc@{key}"] == pytest.approx(value)
    best = 100 * counts["right_all"].max(axis=1) / counts["images"]
    assert evaluation["max_box_acc_v2"] == pytest.approx(best.mean())


def test_the_file_holds_them(evaluation):
    counts = level_counts(evaluation.per_image, PROTOCOL)
    content = to_bytes(counts)
    assert content == to_bytes(level_counts(evaluation.per_image, PROTOCOL))
    again = unpack(content)
    assert again.keys() == counts.keys()
    assert all((again[key] == counts[key]).all() for key in counts)
