"""Ranks and differences to CAM, against plain means over the committed clutter records' arrays."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from wsol.board.board import look
from wsol.board.standings import cam_of, is_cam, standings
from wsol.cli.grid_end import text_of
from wsol.scores.per_image import PerImage

CLUTTER = Path(__file__).parents[2] / "results" / "runs" / "clutter"
METRIC = "max_box_acc@0.5"


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """Three seeds of CAM, of rfga and of se, and the baselines that have no network."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "runs").mkdir()
    for name in ("small_resnet-cam-*", "small_resnet-rfga-*", "small_resnet-se-*", "center-*"):
        for path in CLUTTER.glob(name):
            shutil.copy(path, folder / "runs")
    return look(folder)[0]


def scores(row):
    """(N,) share of the row's seeds that are right, read from its arrays."""
    seeds = []
    for run in row.runs:
        arrays = PerImage.from_bytes((run.path.parent / run.record.arrays["file"]).read_bytes())
        threshold = run.record.threshold["values"][METRIC]
        seeds.append(arrays.right("single", 0.5, threshold))
    return np.mean(seeds, axis=0)


def test_rows_are_compared_with_cam_over_the_same_images(board):
    (section,) = board.sections
    mine = {row.records[0].run_id for row in section.rows if row["attention"] == "rfga"}
    (found,) = standings(board, mine)
    cam = next(row for row in section.rows if is_cam(row))
    assert {one.row["attention"] for one in found.rows if one.row["backbone"]} == {"rfga", "none"}
    for one in found.rows:
        assert one.rank == 1 + [row.key for row in section.rows].index(one.row.key)
        if one.row is cam:
            assert one.cam is None and one.against_cam is None
            continue
        difference = scores(one.row) - scores(cam)
        reach = 1.959964 * difference.std(ddof=1) / np.sqrt(len(difference))
        assert one.against_cam.difference == pytest.approx(100 * difference.mean())
        assert one.against_cam.low == pytest.approx(100 * (difference.mean() - reach), abs=1e-4)
        assert one.against_cam.high == pytest.approx(100 * (difference.mean() + reach), abs=1e-4)


def test_the_table_says_what_the_board_says(board):
    (section,) = board.sections
    mine = {record.run_id for row in section.rows for record in row.records}
    (found,) = standings(board, mine)
    text = text_of(found, 200)
    lines = text.splitlines()
    assert lines[0] == "clutter: test, choe2020, oracle"
    for one in found.rows:
        (line,) = [line for line in lines if line.split()[:1] == [str(one.rank)]]
        assert f"  {one.row.title}  " in line
        assert f"{one.row.estimates[METRIC].value:.1f}" in line
        if one.against_cam is not None:
            low, high = one.against_cam.low, one.against_cam.high
            assert line.endswith(f"{one.against_cam.difference:+.1f} [{low:.1f}, {high:.1f}]")
    assert "\x1b" not in text and "|" not in text


def test_a_table_without_cam_says_so(board):
    (section,) = board.sections
    rows = [row for row in section.rows if not is_cam(row)]
    assert [cam_of(row, rows) for row in rows] == [None] * len(rows)
    alone = type(board)(rows, [type(section)(section.place, rows)])
    (found,) = standings(alone, {rows[0].records[0].run_id})
    text = text_of(found, 200)
    assert "No CAM row here" in text and "minus CAM" not in text


def test_of_several_cam_rows_the_one_trained_most_alike_counts(store, results):
    store("a", what=_what(epochs=10))
    store("b", what=_what(epochs=20))
    store("c", what=_what(epochs=20, attention="rfga"))
    (section,) = look(results)[0].sections
    row = next(row for row in section.rows if row["attention"] == "rfga")
    assert cam_of(row, section.rows).records[0].recipe["what"]["training"]["epochs"] == 20


def _what(epochs, attention="none"):
    from wsol.recipe import Recipe

    recipe = Recipe.from_dict({"attention": {"name": attention}, "training": {"epochs": epochs}})
    return recipe.what()
