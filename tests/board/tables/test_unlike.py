from __future__ import annotations

import csv
import io
import itertools

import pytest

from wsol.board import read_board, write_board
from wsol.board.tables.unlike import common_setting
from wsol.recipe import Recipe
from wsol.scores.records import RunRecord

MODULES = ("none", "rfga", "tdam", "ltpa")


@pytest.fixture
def add(store):
    """Store a run of a module under the settings given; ``facts`` are those of its training."""

    def write(attention: str, settings: dict | None = None, facts: dict | None = None, **arguments):
        base = {"attention": {"name": attention}, "weights": {"name": "torchvision"}}
        recipe = Recipe.from_dict(base | (settings or {}))
        path = store(f"{attention}-{next(COUNTER)}", what=recipe.what(), **arguments)
        record = RunRecord.read(path)
        record.recipe["how"]["training"] = {"device": "CPU, 1 threads", "processes": 1} | (facts or {})
        return record.write(path)

    return write


COUNTER = itertools.count()


def said(results) -> dict[str, str]:
    """What is unlike, by attention; the CSV and the tables say the same."""
    (section,) = read_board(results).sections
    marked = {
        row["attention"]: section.unlike[row.key].text for row in section.rows if section.mark(row)
    }
    table = csv.DictReader(io.StringIO(write_board(results)[0].read_text(encoding="utf-8")))
    assert {row["attention"]: row["unlike"] for row in table if row["unlike"]} == marked
    return marked


SGD = {"optimizer": "sgd", "schedule": "step", "milestones": [15]}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"settings": {"training": SGD | {"epochs": 22}}}, "22 epochs where the others have 50"),
        ({"settings": {"training": SGD | {"epochs": 0}}}, "not trained where the others have 50 epochs"),
        (
            {"settings": {"training": SGD | {"batch_size": 256}}},
            "batch size 256 where the others have 32",
        ),
        ({"settings": {"training": SGD | {"lr": 0.01}}}, "lr 0.01 where the others have 0.001"),
        (
            {"settings": {"training": SGD | {"head_lr": 0.01}}},
            "head_lr 0.01 where the others have as lr",
        ),
        ({"settings": {"training": SGD | {"momentum": 0.8}}}, "momentum 0.8 where the others have 0.9"),
        (
            {"settings": {"training": SGD | {"milestones": [15, 30]}}},
            "milestones 15,30 where the others have 15",
        ),
        (
            {"settings": {"training": SGD | {"schedule": "cosine", "milestones": []}}},
            "schedule cosine where the others have step",
        ),
        (
            {"settings": {"training": SGD | {"warmup_epochs": 2}}},
            "warmup_epochs 2 where the others have 0",
        ),
        (
            {"settings": {"training": SGD | {"images_per_class": 5}}},
            "5 training images a class where the others have all",
        ),
        ({"settings": {"training": SGD | {"folds": 5}}}, "folds 5 where the others have none"),
        (
            {"settings": {"training": SGD | {"precision": "bf16-mixed"}}},
            "precision bf16-mixed where the others have 32-true",
        ),
        (
            {"settings": {"training": SGD, "data": {"input_size": 448}}},
            "input 448 where the others have 224",
        ),
        (
            {"settings": {"training": SGD, "backbone": {"strides": {"stage5": 1}}}},
            "strides stage5=1 where the others have none",
        ),
        ({"cost": {"map_size": [28, 28]}}, "maps 28x28 where the others have 14x14"),
        ({"n_images": 240}, "240 images scored where the others have 250"),
        ({"facts": {"device": "CPU, 2 threads"}}, "2 threads where the others have 1"),
        ({"facts": {"processes": 4}}, "4 processes where the others have 1"),
        (
            {"dataset": {"manifest_hash": "b" * 64}},
            "manifest bbbbbbbb… where the others have a1",
        ),
        (
            {"dataset": {"val_fold": {"per_class": 5, "seed": 1}}},
            "val fold (per class 5, seed 1) where the others have none",
        ),
        (
            {"dataset": {"subset": "9 of 10 classes"}},
            "subset (9 of 10 classes) where the others have none",
        ),
    ],
)
def test_each_condition_that_differs_is_marked_and_said(add, results, change, text):
    base = {"name": "birds", "manifest_hash": "a1", "split": "test"}
    change = {"settings": {"training": SGD}} | change
    if "dataset" in change:
        change["dataset"] = base | change["dataset"]
    for module in MODULES[:3]:
        add(module, {"training": SGD}, dataset=base)
    add("ltpa", **{"dataset": base} | change)
    assert said(results) == {"ltpa": text}


def test_rows_alike_and_baselines_without_a_network_are_not_marked(add, store, results):
    for module in MODULES:
        add(module)
    store("center", maps="center", what={"source": "center", "data": {"input_size": 64}}, n_images=200)
    assert said(results) == {}
    (section,) = read_board(results).sections
    assert section.footnotes() == [
        "Setting: input 224, maps 14x14, 50 epochs, batch size 32, optimizer sgd, lr 0.001, "
        "weight decay 0.0001."
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"training": {"attention_lr": 0.001}},
        {"training": {"channels_last": True}},
        {"training": {"gamma": 0.5}},  # no milestones: nothing is multiplied
    ],
)
def test_what_makes_no_difference_is_not_marked(add, results, settings):
    add("none")
    add("rfga")
    add("tdam", settings)
    assert said(results) == {}


def test_several_differences_are_one_mark(add, results):
    # AUDIT's case: another budget and maps twice as large beside two rows alike.
    add("none")
    add("tdam")
    add(
        "rfga",
        {"training": {"epochs": 20, "batch_size": 256, "weight_decay": 5e-4}},
        cost={"map_size": [28, 28]},
    )
    assert said(results) == {
        "rfga": "20 epochs, batch size 256, weight decay 0.0005 and maps 28x28 where the others have "
        "50, 32, 0.0001 and 14x14"
    }


def test_of_equally_common_settings_that_of_cam_is_unmarked(add, results):
    add("rfga", {"training": {"epochs": 20}})
    add("none", {"training": {"epochs": 60}})
    assert said(results) == {"rfga": "20 epochs where the others have 60"}


def test_where_the_others_disagree_the_common_setting_is_named(add, results):
    for module, epochs in zip(MODULES, (50, 50, 20, 60), strict=True):
        add(module, {"training": {"epochs": epochs}})
    assert said(results) == {
        "tdam": "20 epochs where the common setting is 50",
        "ltpa": "60 epochs where the common setting is 50",
    }


def test_a_network_counts_once_however_many_maps_it_has(add, results):
    for maps in ("cam", "attention:a", "attention:b", "attention:c"):
        add("ltpa", {"training": {"epochs": 22}}, maps=maps)
    for module in ("none", "rfga"):
        add(module)
    (section,) = read_board(results).sections
    assert {row["attention"] for row in section.rows if section.mark(row)} == {"ltpa"}
    assert {section.mark(row) for row in section.rows} == {"", "a"}


def test_what_comes_with_a_network_is_compared_within_it(add, results):
    for module in ("none", "rfga"):
        add(module)
    add("none", {"backbone": {"name": "vgg16", "strides": {"stage5": 1}}, "head": {"name": "cam_conv"}})
    assert said(results) == {}


def test_seeds_that_ran_differently_are_marked(add, results):
    add("none")
    add("rfga")
    add("tdam")
    add("tdam", {"seed": 1}, {"device": "CPU, 4 threads"})
    assert said(results) == {"tdam": "1 and 4 threads where the others have 1"}


def test_two_spellings_of_one_thread_are_one(add, results):
    add("none")
    add("rfga", facts={"device": "CPU, 1 thread"})
    assert said(results) == {}


def test_records_that_do_not_say_are_not_marked(add, store, results):
    add("none")
    store("old", attention="rfga", cost={})
    assert said(results) == {}


def test_what_the_variant_says_is_not_said_again_and_the_rest_is(add, results):
    for lr in (0.001, 0.01, 0.1):
        add("none", {"training": {"lr": lr}})
    add("rfga", {"training": {"lr": 0.001}})
    assert said(results) == {}
    add("tdam", {"training": {"lr": 0.5}})
    assert said(results) == {"tdam": "lr 0.5 where the common setting is 0.001"}
    (section,) = read_board(results).sections
    assert section.footnotes()[0].startswith("Setting where no mark or variant says another: input 224")


def test_marks_follow_the_ranking_and_go_on_after_z(add, results):
    for number in range(30):
        metrics = {"max_box_acc@0.5": 90.0 - number}
        add(f"my.module:A{number:02}", {"training": {"epochs": 100 + number}}, metrics=metrics)
    for number in range(31):
        add(f"my.module:B{number:02}", metrics={"max_box_acc@0.5": 10.0})
    (section,) = read_board(results).sections
    marks = [section.mark(row) for row in section.rows]
    assert marks[:4] == ["a", "b", "c", "d"]
    assert marks[25:30] == ["z", "aa", "ab", "ac", "ad"]
    assert set(marks[30:]) == {""}


def test_the_table_shows_marks_and_what_they_mean(add, results):
    add("none", metrics={"max_box_acc@0.5": 50.0})
    add("rfga", metrics={"max_box_acc@0.5": 60.0})
    add("ltpa", {"training": {"epochs": 22}}, metrics={"max_box_acc@0.5": 40.0})
    text = write_board(results)[1].read_text(encoding="utf-8")
    assert "| resnet50 | torchvision | ltpa<sup>a</sup> | cam | cam | last | 1 | 40.0 |" in text
    assert text.count("<sup>") == 1
    assert "- Rows marked a: 22 epochs where the others have 50." in text.splitlines()


def test_the_common_setting_of_what_is_not_trained_says_no_more_of_training(add, results):
    add("none", {"training": {"epochs": 0}})
    (section,) = read_board(results).sections
    assert common_setting(section.rows) == "input 224, maps 14x14, not trained"
