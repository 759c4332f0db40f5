"""The rules by which a profile says what a module mends: on figures whose answer is known."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from wsol.board.runs.reading import StoredRun
from wsol.evaluation.evaluator import collect, score
from wsol.pipeline.diagnosis import profile as profiles
from wsol.pipeline.diagnosis import tables
from wsol.pipeline.diagnosis.figures import Figure
from wsol.pipeline.diagnosis.profile import profile
from wsol.pipeline.diagnosis.sentences import claim, sentences
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation, Prediction

PROTOCOL = protocol_named("halfopen")
FIGURES = (Figure("base", "max_box_acc@0.5"), Figure("parts", "max_box_acc@0.7"))
BOX = np.array([[8, 8, 40, 40]], np.float32)


class Record:
    """What a profile asks of a record."""

    def __init__(self, per_image, metrics):
        self.per_image, self.metrics = per_image, metrics
        self.protocol = PROTOCOL.describe()


def run(right, n=200):
    """A run that frames the object exactly in the first ``right`` of ``n`` images alone."""
    annotations = [Annotation(str(number), 0, (64, 64), BOX, BOX) for number in range(n)]
    predictions = []
    for number in range(n):
        score_map = np.zeros((64, 64), np.float32)
        score_map[(slice(8, 40), slice(8, 40)) if number < right else (slice(50, 60), slice(50, 60))] = 1
        predictions.append(Prediction(str(number), 0, score_map=score_map))
    per_image = collect(predictions, annotations, PROTOCOL, threads=1)
    return StoredRun(None, Record(per_image, score(per_image, PROTOCOL).metrics))


@pytest.fixture(autouse=True)
def arrays(monkeypatch):
    monkeypatch.setattr(profiles, "read_arrays", lambda run: run.record.per_image)


def profiled(cam, control, module, top1=(97.0, 97.0, 97.0)):
    rows = ("CAM", "control", "mine")
    by_row = {row: [run(right)] for row, right in zip(rows, (cam, control, module), strict=True)}
    accuracy = dict(zip(rows, top1, strict=True))
    return profile(FIGURES, [by_row, by_row], [accuracy, accuracy], rows)


def test_a_clear_gain_is_mended_and_a_clear_loss_worsened():
    up, down = profiled(100, 100, 150), profiled(100, 100, 60)
    assert [one.verdict for one in up] == ["mends", "mends"]
    assert [one.verdict for one in down] == ["worsens", "worsens"]
    assert up[0].against_cam.difference == pytest.approx(25)
    first, second, third = sentences(up, "mine")
    assert first.startswith("mine mends base (maps of anything bright: +25.0 [")
    assert second == "It worsens nothing that these tests can tell."
    assert third == "There is no comparison that cannot be told."


def test_a_gain_that_the_control_has_too_is_said_to_be_no_more():
    (one, _) = profiled(100, 150, 150)
    assert one.against_control.difference == 0
    assert "not told from the control of as many parameters" in sentences([one], "mine")[0]


def test_a_small_difference_cannot_be_told():
    found = profiled(100, 100, 102)
    assert [one.verdict for one in found] == ["cannot be told"] * 2
    assert sentences(found, "mine")[0] == "mine mends nothing that these tests can tell."


def test_p_is_holms_over_the_family():
    found = profiled(100, 100, 150)
    raw = found[0].against_cam.p_value
    assert [one.p_value for one in found] == pytest.approx([min(1, 2 * raw)] * 2)


def test_where_lower_is_better_a_rise_worsens(monkeypatch):
    down = (Figure("base", "max_box_acc@0.5", better="low"),)
    by_row = {"CAM": [run(100)], "mine": [run(150)]}
    (one,) = profile(down, [by_row], [{"CAM": 97.0, "mine": 97.0}], ("CAM", "mine"))
    assert one.verdict == "worsens"
    assert one.against_control is None


@pytest.mark.parametrize(
    ("top1", "compared"),
    [((97, 97, 95), True), ((97, 97, 94), False), ((90, 90, 89.2), True), ((97, 20, 97), True)],
)
def test_maps_of_rows_that_classify_differently_are_not_compared(top1, compared):
    found = profiled(100, 100, 150, top1)
    assert (found[0].verdict == "mends") is compared
    if not compared:
        told = sentences(found, "mine")[2]
        assert "Not compared: base and parts" in told
        assert "top-1 97.0 against 94.0" in told


def test_several_seeds_are_shown_each_and_the_claim_says_of_what_it_is():
    rows = ("CAM", "mine")
    by_row = {"CAM": [run(100), run(90)], "mine": [run(150), run(140)]}
    (one,) = profile(FIGURES[:1], [by_row], [dict.fromkeys(rows, 97.0)], rows)
    assert one.rows["CAM"].seeds == pytest.approx((50, 45))
    assert one.rows["CAM"].low is None
    assert one.against_cam.difference == pytest.approx(25)
    assert "not about the method" in claim(1)
    assert "about these networks" in claim(3)
    assert "the figures say nothing" in claim(1, small=True)


def test_what_cannot_be_computed_is_no_figure():
    """0 would be the best where lower is better."""
    empty = run(10)
    for figure in FIGURES:
        empty.record.metrics[figure.key] = {"value": None, "low": None, "high": None}
    cell = profiles._row_figure([empty, run(20)], FIGURES[0].key, 97.0)
    assert math.isnan(cell.value) and tables._figure(cell) == ""


def test_holm_s_correction_is_told_over_what_was_compared():
    several = profiled(100, 100, 150)
    uncompared = profiled(100, 100, 150, top1=(97.0, 97.0, 60.0))
    told = SimpleNamespace(seeds=(0,), profiles=[several[0], uncompared[1]])
    assert "after Holm's correction over 1 tests" in tables._notes(told)[0]
