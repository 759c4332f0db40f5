"""Older statistics are replaced by those of the arrays, run ids and everything else as they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wsol.cli.main import main
from wsol.pipeline.results.verify import verify
from wsol.scores.metrics import METRICS_VERSION
from wsol.scores.records import RunRecord, digest

NEW = METRICS_VERSION + 1
PLACES = ("pipeline.results.rescore", "pipeline.results.verify")


@pytest.fixture
def mended(monkeypatch):
    """The code has a newer version of the metrics than the records."""
    for place in PLACES:
        monkeypatch.setattr(f"wsol.{place}.METRICS_VERSION", NEW)


def with_other_statistics(path: Path) -> dict:
    """As an older version might have made them: other intervals, another mean IoU."""
    raw = json.loads(path.read_text())
    for figure in raw["metrics"].values():
        if figure["value"] is not None:
            figure |= {"low": figure["value"], "high": figure["value"]}
    raw["metrics"]["mean_iou"] = {"value": 12.5, "low": 12.5, "high": 12.5}
    raw["digest"] = digest({key: value for key, value in raw.items() if key != "digest"})
    path.write_text(json.dumps(raw))
    return raw


@pytest.mark.parametrize("policy", ["oracle", "val", "fixed:0.2"])
@pytest.mark.parametrize("protocol", ["choe2020", "rubinstein2013"])
def test_statistics_are_those_of_the_arrays_again(scored, tmp_path, mended, protocol, policy):
    path = scored(tmp_path, "cam", 1, policy, protocol=protocol)
    right = RunRecord.read(path)
    with_other_statistics(path)
    assert main(["results", "rescore", "--results", str(tmp_path)]) == 0
    again = RunRecord.read(path)
    assert again.metrics_version == NEW
    for part in ("run_id", "metrics", "optimism", "threshold", "specifications", "arrays", "recipe"):
        assert getattr(again, part) == getattr(right, part)
    assert verify(tmp_path).equal == 1


def test_what_was_done_is_said_and_a_second_time_does_nothing(
    scored, tmp_path, capsys, mended, files_of
):
    path = scored(tmp_path, "cam", 1)
    value = RunRecord.read(path).metrics["mean_iou"]["value"]
    with_other_statistics(path)
    before = files_of(tmp_path)
    assert main(["results", "rescore", "--results", str(tmp_path), "--dry-run"]) == 0
    assert files_of(tmp_path) == before
    assert f"1 records to score with metrics version {NEW}, 0 up to date" in capsys.readouterr().out
    assert main(["results", "rescore", "--results", str(tmp_path)]) == 0
    assert f"mean_iou 12.50 -> {value:.2f};" in capsys.readouterr().out
    after = files_of(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"runs/birds/cam.json"}
    assert main(["results", "rescore", "--results", str(tmp_path)]) == 0
    assert "0 records to score" in capsys.readouterr().out
    assert files_of(tmp_path) == after


def test_records_that_are_up_to_date_stay_as_they_are(scored, tmp_path, files_of):
    with_other_statistics(scored(tmp_path, "cam", 1))
    before = files_of(tmp_path)
    assert main(["results", "rescore", "--results", str(tmp_path)]) == 0
    assert files_of(tmp_path) == before


def test_figures_of_metrics_from_outside_stay(scored, tmp_path, mended):
    path = scored(tmp_path, "cam", 1)
    raw = with_other_statistics(path)
    raw["metrics"]["mine"] = {"value": 4.0, "low": 3.0, "high": 5.0}
    raw["threshold"]["values"]["mine"] = 0.5
    raw["protocol"]["metrics"] = ["nowhere.to.be.found:Metric"]
    raw["digest"] = digest({key: value for key, value in raw.items() if key != "digest"})
    path.write_text(json.dumps(raw))
    assert main(["results", "rescore", "--results", str(tmp_path)]) == 0
    again = RunRecord.read(path)
    assert again.metrics["mine"] == {"value": 4, "low": 3, "high": 5}
    assert again.threshold["values"]["mine"] == 0.5


def test_records_without_arrays_are_named_and_left(scored, tmp_path, capsys, mended, files_of):
    path = scored(tmp_path, "cam", 1)
    path.with_suffix(".npz").unlink()
    before = files_of(tmp_path)
    assert main(["results", "rescore", "--results", str(tmp_path)]) == 2
    assert f"{path}: no arrays beside it" in capsys.readouterr().err
    assert files_of(tmp_path) == before


def test_stopped_half_way_every_record_is_whole_and_it_goes_on(scored, tmp_path, mended, monkeypatch):
    paths = [scored(tmp_path, name, seed) for seed, name in enumerate(("a", "b", "c"))]
    written: list[Path] = []
    write = RunRecord.write

    def stopped(record, path):
        if written:
            raise KeyboardInterrupt
        written.append(path)
        return write(record, path)

    monkeypatch.setattr(RunRecord, "write", stopped)
    assert main(["results", "rescore", "--results", str(tmp_path)]) == 130
    assert [RunRecord.read(path).metrics_version for path in paths] == [NEW, NEW - 1, NEW - 1]
    monkeypatch.setattr(RunRecord, "write", write)
    assert main(["results", "rescore", "--results", str(tmp_path)]) == 0
    assert [RunRecord.read(path).metrics_version for path in paths] == [NEW] * 3
