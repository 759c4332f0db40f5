"""Protocols by name, and threshold policies as text."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from wsol.errors import UserError
from wsol.scores.protocol import PROTOCOLS, Protocol, ThresholdPolicy, protocol_named


def test_the_four_protocols_differ_in_what_they_promise():
    assert PROTOCOLS.names() == ["choe2020", "fixed", "halfopen", "rubinstein2013"]
    choe, halfopen = protocol_named("choe2020"), protocol_named("halfopen")
    assert (choe.inclusive, choe.source_boxes) == (True, True)
    assert (halfopen.inclusive, halfopen.source_boxes) == (False, False)
    assert str(protocol_named("fixed").policy) == "fixed:0.2"
    assert protocol_named("rubinstein2013").frame((31, 47)) == (31, 47)
    assert choe.frame((31, 47)) == (224, 224)


def test_a_step_is_part_of_what_is_recorded():
    described = json.loads(json.dumps(protocol_named("choe2020", 0.01).describe()))
    assert (described["name"], described["version"], described["step"]) == ("choe2020", 1, 0.01)
    assert described["policy"] == "oracle"
    np.testing.assert_array_equal(protocol_named("choe2020", 0.25).thresholds, [0, 0.25, 0.5, 0.75])
    np.testing.assert_array_equal(
        protocol_named("choe2020", 0.25).bin_edges, [0, 0.25, 0.5, 0.75, 1, 2, 3]
    )


@pytest.mark.parametrize("text", ["oracle", "val", "fixed:0.2", "fixed:0"])
def test_a_policy_is_written_as_it_is_read(text):
    assert str(ThresholdPolicy.parse(text)) == text


@pytest.mark.parametrize(
    "text, named",
    [
        ("orakle", "did you mean 'oracle'"),
        ("fixed", "fixed:0.2"),
        ("fixed:1", r"not in \[0, 1\)"),
        ("fixed:high", "'high' is not a number"),
        ("val:0.3", "no other"),
        ("fixed:nan", "not in"),
    ],
)
def test_a_wrong_policy_is_named(text, named):
    with pytest.raises(UserError, match=named):
        ThresholdPolicy.parse(text)


def test_wrong_protocols_and_steps_are_named():
    with pytest.raises(UserError, match="did you mean 'choe2020'"):
        protocol_named("choe2002")
    with pytest.raises(UserError, match="step 0"):
        protocol_named("choe2020", 0)


def test_a_protocol_comes_back_from_its_record():
    made = dataclasses.replace(
        protocol_named("fixed", 0.01), iou_percents=(40, 60), metrics=("somebodys.module:Metric",)
    )
    raw = json.loads(json.dumps(made.describe()))
    assert raw["normalisation"] and raw["contours"]
    assert Protocol.of_record(raw) == made
    assert Protocol.of_record({"name": "old", "gone": 3}).iou_percents == (30, 50, 70)


def test_a_protocol_may_come_from_outside(tmp_path, monkeypatch):
    (tmp_path / "their_protocol.py").write_text(
        "from wsol.scores.protocol import Protocol\nCOARSE = Protocol('coarse', step=0.25)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert protocol_named("their_protocol:COARSE").thresholds.tolist() == [0, 0.25, 0.5, 0.75]
    with pytest.raises(UserError, match="expected an instance of"):
        protocol_named("their_protocol:Protocol")
