"""A metric and a protocol in one file outside the repository, up to a board that cannot import them."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import sys

import numpy as np
import pytest

from wsol.board import read_board, write_board
from wsol.errors import UserError
from wsol.evaluation.evaluator import collect, evaluate, score
from wsol.evaluation.per_image_table import write_per_image
from wsol.report.page import page
from wsol.scores.protocol import ThresholdPolicy, protocol_named
from wsol.scores.records import RunRecord
from wsol.scores.samples import Annotation, Prediction

PLUGIN = '''
import numpy as np

from wsol.scores.curves import Mean
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.protocol import Protocol


class WideLoc(Metric):
    """GT-known localization of images wider than high, at its own IoU."""

    @classmethod
    def of_protocol(cls, protocol):
        return [cls()]

    @property
    def specification(self):
        return MetricSpecification(
            key="wide_loc@0.4", name="Wide loc .4", needs=("boxes",), main_column=35
        )

    def chosen_by(self, per_image):
        return "gt_known_loc@0.5"

    def curve(self, per_image, thresholds):
        wide = per_image.sizes[:, 1] > per_image.sizes[:, 0]
        kept = wide[per_image.boxed]
        return Mean(per_image.right("single", 0.4, thresholds)[kept], per_image.boxed[kept])


class MeanTop(Metric):
    """The largest value of the maps, which is no percentage."""

    @classmethod
    def of_protocol(cls, protocol):
        return [cls()]

    @property
    def specification(self):
        return MetricSpecification(key="mean_top", name="Mean top", unit="grey levels", main_column=200)

    def chosen_by(self, per_image):
        return None

    def curve(self, per_image, thresholds):
        return Mean(per_image.top[:, None].astype(int) * 10, np.arange(len(per_image)), whole=1000)


PROTOCOL = Protocol(
    "wide", iou_percents=(40, 60), metrics=("wide_plugin:WideLoc", "wide_plugin:MeanTop"), step=0.1
)
'''


@pytest.fixture
def protocol(tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "wide_plugin.py").write_text(PLUGIN, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    yield protocol_named("wide_plugin:PROTOCOL")
    sys.modules.pop("wide_plugin", None)


def images(quality):
    """Four images, two of them wide, of a half-open square each; maps hit ``quality`` of its height."""
    predictions, annotations = [], []
    for row, part in enumerate(quality):
        size = (200, 400) if row % 2 else (400, 200)
        box = np.array([[0, 0, 100, 100]], np.float32)
        annotations.append(Annotation(f"{row}", 0, size, box, box))
        score_map = np.zeros(size)
        score_map[: round(100 * part), :100] = 1.0
        predictions.append(Prediction(f"{row}", 0, score_map=score_map))
    return predictions, annotations


def record_of(evaluation, protocol, maps, path):
    content = evaluation.per_image.to_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".npz").write_bytes(content)
    record = RunRecord(
        recipe={"what": {"maps": maps}, "how": {}},
        dataset={"name": "squares", "manifest_hash": "a1", "split": "test"},
        protocol=protocol.describe(),
        maps=maps,
        threshold=evaluation.threshold,
        metrics=evaluation.metrics,
        specifications=evaluation.specifications,
        n_images=4,
        n_expected=4,
        arrays={
            "file": path.with_suffix(".npz").name,
            "sha256": hashlib.sha256(content).hexdigest(),
        },
    )
    record.write(path)
    return record


def test_its_values_are_those_of_a_loop(protocol):
    result = evaluate(*images([1.0, 0.55, 0.45, 0.3]), protocol, intervals=False)
    # Of the wide images 1 and 3 the IoUs are .55 and .3; at 0.4 one of two is right.
    assert result["wide_loc@0.4"] == 50.0
    assert result["max_box_acc@0.4"] == 75.0
    assert result["max_box_acc@0.6"] == 25.0
    assert result["max_box_acc_v2"] == 50.0
    assert result["gt_known_loc@0.5"] == 50.0
    assert result["mean_top"] == 255.0
    assert "max_box_acc@0.5" not in result.metrics
    assert result.threshold["values"]["wide_loc@0.4"] == result.threshold["values"]["gt_known_loc@0.5"]


def test_only_percentages_are_kept_below_100(protocol):
    result = evaluate(*images([1.0, 0.55, 0.45, 0.3]), protocol)
    assert result.metrics["mean_top"] == {"value": 255.0, "low": 255.0, "high": 255.0}
    high = result.metrics["max_box_acc@0.4"]["high"]
    assert high is not None and 75.0 <= high <= 100.0


def test_a_board_shows_it_without_importing_it(protocol, tmp_path):
    results = tmp_path / "results"
    runs = results / "runs"
    good, poor = images([1.0, 0.55, 0.45, 0.3]), images([0.1, 0.1, 0.1, 0.1])
    first = evaluate(*good, protocol, intervals=False)
    record_of(first, protocol, "cam", runs / "cam.json")
    record_of(evaluate(*poor, protocol, intervals=False), protocol, "center", runs / "center.json")
    sys.modules.pop("wide_plugin")
    sys.path.remove(str(tmp_path / "elsewhere"))

    csv_path, markdown = write_board(results)
    text = csv_path.read_text(encoding="utf-8")
    header = text.splitlines()[0].split(",")
    # The columns that every board has come first and stay where they were.
    known = header.index("rubinstein_j_high")
    assert header[known + 1 :: 4][:6] == [
        *("max_box_acc@0.4", "max_box_acc@0.6", "max_box_acc_v2@0.4", "max_box_acc_v2@0.6"),
        *("mean_top", "wide_loc@0.4"),
    ]
    rows = {row["maps"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["cam"]["wide_loc@0.4"] == "50.000"
    assert rows["cam"]["max_box_acc@0.6"] == "25.000"
    assert rows["cam"]["max_box_acc@0.5"] == ""

    heads = [
        cell.strip()
        for line in markdown.read_text(encoding="utf-8").splitlines()
        if line.startswith("| backbone")
        for cell in line.strip("|").split("|")
    ]
    assert heads[7:] == [
        *("GT-known .5", "Wide loc .4", "MaxBoxAcc .4", "MaxBoxAcc .6", "MaxBoxAccV2"),
        *("Mean top (grey levels)", "optimism (GT-known .5)"),
    ]
    assert "Against the centred box in GT-known .5, paired over 4 images" in markdown.read_text()
    shown = page(results, read_board(results))
    for part in ("Wide loc .4", "MaxBoxAcc .6", "IoU &ge; 0.4", "IoU &ge; 0.6"):
        assert part in shown
    assert "wide_plugin" not in sys.modules


def test_the_table_of_images_has_the_protocols_ious(protocol, tmp_path):
    result = evaluate(*images([1.0, 0.55, 0.45, 0.3]), protocol, intervals=False)
    path = write_per_image(tmp_path / "per_image.csv", result.per_image, result, protocol)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert [row["correct@0.4"] for row in rows] == ["1", "1", "1", "0"]
    assert [row["correct@0.6"] for row in rows] == ["1", "0", "0", "0"]
    assert [row["correct_v2@0.4"] for row in rows] == ["1", "1", "1", "0"]
    assert "correct@0.5" not in rows[0]


def test_the_threshold_of_val_reaches_it(protocol):
    val = collect(*images([1.0, 1.0, 1.0, 1.0]), protocol)
    per_image = collect(*images([1.0, 0.55, 0.45, 0.3]), protocol)
    result = score(per_image, protocol, policy=ThresholdPolicy("val"), val=val, intervals=False)
    assert result["wide_loc@0.4"] == 50.0
    assert result.threshold["chosen_on"] == "val"


def test_a_metric_that_is_not_there_is_said_before_anything_is_scored(protocol):
    def stream():
        raise AssertionError("a prediction was asked for")
        yield

    missing = dataclasses.replace(protocol, metrics=("wide_plugin:WideLock",))
    with pytest.raises(UserError, match="did you mean 'WideLoc'"):
        collect(stream(), images([1.0])[1], missing)
