"""What the board says of several seeds beyond their mean."""

from __future__ import annotations

import csv
import io

import pytest

from wsol.board import write_board
from wsol.scores.metrics.specification import MetricSpecification


def store_seeds(store, values, metric="max_box_acc@0.5", **arguments):
    for seed, value in enumerate(values):
        store(f"run{seed}", seed=seed, metrics={metric: value, "top1_acc": 50.0}, **arguments)


def test_no_interval_of_the_board_leaves_what_percent_can_be(store, results):
    store_seeds(store, [100.0, 100.0, 100.0, 96.0, 94.0])
    csv_path, page = write_board(results)
    (row,) = csv.DictReader(io.StringIO(csv_path.read_text(encoding="utf-8")))
    assert row["max_box_acc@0.5_high"] == "100.000"
    assert "98.0 \u00b1 2.8 [94.5, 100.0]" in page.read_text(encoding="utf-8")


def test_a_metric_of_another_unit_is_not_cut(store, results):
    said = {"error": MetricSpecification(key="error", name="Error", unit="pixels")}
    store_seeds(store, [100.0, 130.0, 100.0, 96.0, 94.0], metric="error", specifications=said)
    (row,) = csv.DictReader(io.StringIO(write_board(results)[0].read_text(encoding="utf-8")))
    assert float(row["error_high"]) > 104


def test_every_seed_is_printed_where_there_are_several(store, results):
    store_seeds(store, [80.04, 81.25, 90.0])
    store("alone", attention="rfga")
    lines = write_board(results)[1].read_text(encoding="utf-8").splitlines()
    start = lines.index("<details><summary>Every seed, in the order of the column seeds</summary>")
    end = lines.index("</details>", start)
    assert [line for line in lines[start:end] if line.startswith("|")][2:] == [
        "| resnet50 | torchvision | none | cam | cam | last | 0, 1, 2 | 50.0, 50.0, 50.0 | "
        "80.0, 81.2, 90.0 |"
    ]


def test_single_seeds_need_no_table_of_seeds(store, results):
    store("alone")
    assert "<details>" not in write_board(results)[1].read_text(encoding="utf-8")


@pytest.mark.parametrize(("last", "warned"), [(79.5, False), (40.0, True)])
def test_the_table_warns_of_a_seed_far_from_the_others(store, results, last, warned):
    store_seeds(store, [80.0, 81.0, 82.0, 79.0, last])
    text = write_board(results)[1].read_text(encoding="utf-8")
    said = "- Seeds far from the others of their row in MaxBoxAcc .5: CAM, seed 4 (40.0, median 80.0)."
    assert (said in text) is warned
