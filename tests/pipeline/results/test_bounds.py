"""``wsol results bounds``: one line a row and IoU, beside the score of one threshold for all images."""

from __future__ import annotations

import csv
import io

import numpy as np

from wsol.cli.main import main
from wsol.scores.per_image import PerImage


def test_a_line_a_row(scored, tmp_path, capsys):
    results = tmp_path / "results"
    record = scored(results, "one", 0)
    assert main(["results", "bounds", "--results", str(results), "--iou", "0.5", "--csv"]) == 0
    (line,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    arrays = PerImage.load(next(record.parent.glob("*.npz")))
    right = arrays.single >= 25_000  # half of 50,000
    # Of 256 cuts the grid of a hundred thresholds has every second or third.
    reached = right[:, [int(threshold * 255) for threshold in np.arange(0, 1, 0.01)]]
    assert float(line["best_per_image"]) == float(f"{100 * reached.any(axis=1).mean():.3f}")
    assert float(line["max_box_acc"]) == float(f"{100 * reached.mean(axis=0).max():.3f}")


def test_an_iou_that_nothing_was_scored_at_is_named(scored, tmp_path, capsys):
    results = tmp_path / "results"
    scored(results, "one", 0)
    for asked in (["0.4"], ["0.5", "0.4"], ["2"]):
        assert main(["results", "bounds", "--results", str(results), "--iou", *asked]) == 2
        said = capsys.readouterr()
        assert f"no row is scored at IoU {asked[-1]}; there are " in said.err and not said.out


def test_rows_without_boxes_have_none(scored, tmp_path, capsys):
    results = tmp_path / "results"
    scored(results, "masks", 0, protocol="rubinstein2013")
    assert main(["results", "bounds", "--results", str(results)]) == 2
    assert "no row with boxes has its arrays beside its records" in capsys.readouterr().err
