"""Every step of feedback attention by one name, and where the box goes between steps."""

import csv

import numpy as np
import pytest
from PIL import Image

from wsol.cli.main import main
from wsol.errors import UserError
from wsol.maps import map_source
from wsol.maps.model_sources import expand
from wsol.models.factory import build_localizer
from wsol.pipeline.evaluate_run import evaluate_run
from wsol.pipeline.model import Model
from wsol.pipeline.outputs.steps import COLUMNS, StepBoxes, moved, moves, object_of
from wsol.pipeline.train import train

BOXES = np.array([[0, 0, 10, 10], [20, 20, 30, 30]], np.float32)


def localizer(recipe, attention, **options):
    return build_localizer(recipe.changed(attention={"name": attention, "options": options}), 3)


def test_a_star_is_every_step_that_the_network_takes(tiny_recipe):
    tdam = localizer(tiny_recipe, "tdam", steps=3)
    assert expand(["cam", "cam@t=*", "cam@t=2"], tdam) == ["cam", "cam@t=1", "cam@t=2", "cam@t=3"]
    assert expand(["cam@t=*@predicted"], tdam)[0] == "cam@t=1@predicted"
    with tdam.at_step(2):
        assert len(expand(["cam@t=*"], tdam)) == 2
    with pytest.raises(UserError, match="no feedback"):
        expand(["cam@t=*"], localizer(tiny_recipe, "rfga"))
    with pytest.raises(UserError, match=r"stands for several maps.*such as cam@t=1"):
        map_source("cam@t=*").ready(tdam)
    with pytest.raises(UserError, match=r"a whole number, as in cam@t=1, or \*"):
        map_source("cam@t=x")


def test_what_a_box_lies_on_by_hand():
    assert object_of(np.array([0, 0, 10, 10]), BOXES) == 0
    assert object_of(np.array([18, 18, 30, 30]), BOXES) == 1  # 100 of 144
    assert object_of(np.array([0, 0, 10, 3.1]), BOXES) == 0  # IoU .31
    assert object_of(np.array([0, 0, 10, 2.9]), BOXES) == -1  # .29
    assert object_of(None, BOXES) == object_of(BOXES[0], BOXES[:0]) == -1
    found = moved(np.array([0, 0, -1, 1, -1]), np.array([0, 1, 0, -1, -1]))
    assert found == {"same": 20, "another": 20, "found": 20, "lost": 20, "none": 20}


def test_moves_between_steps_by_hand():
    nothing = [np.nan] * 4
    first = StepBoxes("a", np.array([[0, 0, 10, 10], [0, 0, 4, 4], nothing]), np.array([0, 0, -1]), 50.0)
    second = StepBoxes(
        "b", np.array([[0, 0, 10, 5], [4, 4, 8, 8], [0, 0, 1, 1]]), np.array([0, 1, 0]), None
    )
    third = StepBoxes("c", first.boxes, first.on, 25.0)
    sizes = np.array([[30, 40], [6, 8], [10, 10]])  # diagonals of 50 and 10
    lines = [dict(zip(COLUMNS, line, strict=True)) for line in moves([first, second, third], sizes)]
    assert [(line["from"], line["to"]) for line in lines] == [("a", "b"), ("b", "c"), ("a", "c")]
    assert lines[0]["iou"] == "0.2500"  # a half, and nothing
    # Centres 2.5 apart of 50, and the square root of 32 of 10.
    assert float(lines[0]["shift"]) == pytest.approx((5 + 10 * np.sqrt(32)) / 2, abs=1e-3)
    assert (lines[0]["max_box_acc@0.5_from"], lines[0]["max_box_acc@0.5_to"]) == ("50.000", "")
    assert (lines[0]["same"], lines[0]["another"], lines[0]["found"]) == ("33.333",) * 3
    assert (lines[2]["iou"], lines[2]["shift"], lines[2]["none"]) == ("1.0000", "0.000", "33.333")


@pytest.fixture
def run(tiny_recipe):
    return train(tiny_recipe.changed(training={"epochs": 1}, attention={"name": "tdam"}))


def test_one_command_writes_every_step_a_table_and_a_picture(run, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["evaluate", "--run", str(run), "--maps", "cam@t=*", "--output", str(out)]
    assert main([*words, "--overlays", "3"]) == 0
    assert (out / "cam@t=1" / "metrics.json").is_file() and (out / "cam@t=2" / "metrics.json").is_file()
    with (out / "steps.csv").open() as file:
        (line,) = csv.DictReader(file)
    assert (line["from"], line["to"]) == ("cam@t=1", "cam@t=2")
    with Image.open(out / "steps.png") as picture:
        assert picture.size == (2 * 228, 3 * 244)
    # The maps of the last step are the network's own, and the figures those of each step alone.
    own = evaluate_run(run, Model.open(run).recipe.changed(evaluation={"maps": ["cam"]}).evaluation)
    whole = own["cam"]["max_box_acc@0.5"]
    assert line["max_box_acc@0.5_to"] == f"{whole:.3f}"
    shares = sum(float(line[key]) for key in ("same", "another", "found", "lost", "none"))
    assert shares == pytest.approx(100, abs=0.01)


def test_without_several_steps_nothing_is_written(run, tmp_path):
    out = tmp_path / "out"
    assert main(["evaluate", "--run", str(run), "--maps", "cam@t=1,cam", "--output", str(out)]) == 0
    assert not (out / "steps.csv").exists()
