from __future__ import annotations

import csv
import io
import itertools
import random

import pytest

from wsol.board import read_board, write_board
from wsol.board.rows.rows import group
from wsol.board.rows.settings import key_name, spelled
from wsol.board.rows.variants import variants
from wsol.board.runs.reading import read_runs
from wsol.recipe import Recipe
from wsol.scores.records import RunRecord


@pytest.fixture
def add(store):
    """Store a run by what its recipe says; several seeds make several runs."""

    def write(file: str, recipe: dict | None = None, seeds=(0,), name: str = "", **arguments):
        for seed in seeds:
            built = Recipe.from_dict({"weights": {"name": "torchvision"}, "seed": seed} | (recipe or {}))
            path = store(f"{file}-{seed}", what=built.what(), **arguments)
            record = RunRecord.read(path)
            record.recipe["how"]["name"] = name
            record.write(path)

    return write


def texts(results) -> list[str]:
    return [row["variant"] for row in read_board(results).rows]


def training(**settings):
    return {"training": settings}


def test_a_sweep_gives_rows_that_name_only_what_differs(add, results):
    for lr, epochs in itertools.product((0.001, 0.01, 0.03, 0.1), (20, 50)):
        add(f"{lr}-{epochs}", training(lr=lr, epochs=epochs, weight_decay=0.05), seeds=(0, 1))
    table = list(csv.DictReader(io.StringIO(write_board(results)[0].read_text())))
    assert sorted(row["variant"] for row in table) == sorted(
        f"epochs {epochs}, lr {lr}" for lr in (0.001, 0.01, 0.03, 0.1) for epochs in (20, 50)
    )
    assert {row["seeds"] for row in table} == {"2"}
    assert {(row["epochs"], row["lr"]) for row in table} == {
        (epochs, lr) for lr in ("0.001", "0.01", "0.03", "0.1") for epochs in ("20", "50")
    }


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        (training(lr=0.01), {"lr 0.01", "lr 0.001"}),
        (training(batch_size=64), {"batch_size 64", "batch_size 32"}),
        (training(images_per_class=3), {"images_per_class 3", "images_per_class 0"}),
        (training(milestones=[15, 30]), {"milestones 15,30", "milestones none"}),
        (training(nesterov=False), {"nesterov false", "nesterov true"}),
        # A key that came later is not in a record where it stands at its default.
        (training(folds=5), {"folds 5", "folds 0"}),
        (training(head_from="stage4"), {"head_from stage4", "head_from none"}),
        ({"data": {"input_size": 448}}, {"input_size 448", "input_size 224"}),
        ({"head": {"name": "native"}}, {"head native", "head cam"}),
        ({"backbone": {"strides": {"stage5": 1}}}, {"strides.stage5 1", "strides.stage5 none"}),
        ({"evaluation": {"batch_size": 8}}, {"evaluation.batch_size 8", "evaluation.batch_size 32"}),
        (
            {"weights": {"name": "torchvision", "sha256": "ab" * 32}},
            {"weights abababab…", "weights none"},
        ),
    ],
)
def test_each_kind_of_difference_is_named(add, results, recipe, expected):
    add("base")
    add("other", recipe)
    assert set(texts(results)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"dataset": {"name": "birds", "manifest_hash": "9e18" * 16, "split": "test"}},
            {"manifest a1", "manifest 9e189e18…"},
        ),
        # Another version is another protocol: its rows have a table of their own.
        ({"protocol": {"name": "choe2020", "version": 2, "step": 0.001}}, {""}),
        ({"protocol": {"name": "choe2020", "version": 1}}, {"step 0.001", "step none"}),
    ],
)
def test_other_data_and_protocols_are_unlike_too(add, results, changes, expected):
    add("base")
    add("other", **changes)
    assert set(texts(results)) == expected


def test_a_second_version_of_a_protocol_has_its_own_table(add, results):
    add("base")
    add("other", protocol={"name": "choe2020", "version": 2, "step": 0.01})
    assert [section.place[2] for section in read_board(results).sections] == [
        "choe2020",
        "choe2020(version=2,step=0.01)",
    ]


def test_what_is_common_is_not_named_and_a_lone_row_has_no_variant(add, results):
    add("base", training(lr=0.5, epochs=7), seeds=(0, 1, 2))
    add("other", {"attention": {"name": "rfga"}} | training(lr=0.01))
    assert texts(results) == ["", ""]


def test_of_many_differences_three_are_named_and_the_rest_counted(add, results):
    add("small", training(epochs=20, batch_size=32, lr=0.01, momentum=0.8, weight_decay=0.1))
    add("large", training(epochs=90, batch_size=256, lr=0.1, momentum=0.9, weight_decay=0.2))
    assert texts(results) == [
        "epochs 20, batch_size 32, lr 0.01 and 2 more",
        "epochs 90, batch_size 256, lr 0.1 and 2 more",
    ]


def test_more_are_named_where_three_would_leave_rows_alike():
    # Five keys, each of which one recipe alone has changed: no three of them tell six recipes apart.
    keys = ["training.epochs", "training.lr", "training.momentum", "data.flip", "x"]
    base = dict.fromkeys(keys, 1)
    found = variants([base, *({**base, key: 2} for key in keys)], [""] * 6)
    assert len({variant.text for variant in found}) == 6
    assert found[0].text == "flip 1, epochs 1, lr 1, momentum 1, x 1"


def test_a_key_that_splits_no_further_gives_way_to_one_that_is_needed():
    # epochs and milestones change together; lr alone tells the last two apart.
    a = {"training.epochs": 1, "training.gamma": 1, "training.milestones": 1, "training.lr": 1, "x": 1}
    b = {"training.epochs": 2, "training.gamma": 2, "training.milestones": 2, "training.lr": 1, "x": 1}
    c = {**b, "x": 2}
    assert [variant.text for variant in variants([a, b, c], ["", "", ""])] == [
        "epochs 1, milestones 1, x 1 and 1 more",
        "epochs 2, milestones 2, x 1 and 1 more",
        "epochs 2, milestones 2, x 2 and 1 more",
    ]


def test_the_order_of_files_changes_nothing(add, results):
    for number, (lr, name) in enumerate(
        [(0.1, ""), (0.2, "mine"), (0.3, "mine"), (0.4, ""), (0.5, "b")]
    ):
        add(f"run{number}", training(lr=lr), seeds=(0, 1), name=name)
    runs = read_runs(results / "runs")
    expected = group(runs)
    assert len(expected.rows) == 5
    for seed in range(10):
        random.Random(seed).shuffle(runs)
        found = group(runs)
        assert [row.key for row in found.rows] == [row.key for row in expected.rows]
        assert [row.seed_numbers for row in found.rows] == [[0, 1]] * 5


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.01, 1e-05, 3.0], ["0.01", "1e-05", "3"]),
        ([True, False, 1], ["true", "false", "1"]),
        ([3, 3.0], ["3", "3"]),
        (["", "none"], ['""', '"none"']),
        ([None, "x"], ["none", "x"]),
        ([[], [1, 2]], ["none", "1,2"]),
        (["a" * 63 + "b", "a" * 63 + "c"], ["a" * 63 + "b", "a" * 63 + "c"]),
        (
            ["ab" * 4 + "c" * 56, "ab" * 4 + "d" * 56],
            ["abababab" + "c" * 8 + "…", "abababab" + "d" * 8 + "…"],
        ),
    ],
)
def test_different_values_are_spelled_differently(values, expected):
    assert spelled(values) == expected


@pytest.mark.parametrize(
    ("key", "name"),
    [("training.lr", "lr"), ("training.attention_lr", "attention_lr"), ("content", "content")],
)
def test_keys_have_short_names_where_these_are_unique(key, name):
    assert key_name(key) == name


def test_a_name_of_ones_own_is_the_variant(add, results):
    add("base")
    add("mine", training(lr=0.01), seeds=(0, 1), name=" my \n rate ")
    assert texts(results) == ["lr 0.001", "my rate"]
    add("alone", {"attention": {"name": "rfga"}}, name="alone")
    assert texts(results)[-1] == "alone"


def test_seeds_of_different_names_have_none(add, results):
    add("one", name="one")
    add("two", seeds=(1,), name="two")
    (row,) = read_board(results).rows
    assert (row["variant"], row.seeds) == ("", 2)


def test_two_recipes_of_one_name_say_how_they_differ(add, results):
    add("a", training(lr=0.01, momentum=0.5), name="mine")
    add("b", training(lr=0.02, momentum=0.5), name="mine")
    add("c", training(lr=0.02, momentum=0.5, epochs=3))
    assert texts(results) == ["epochs 3, lr 0.02", "mine, lr 0.01", "mine, lr 0.02"]


def test_a_name_that_reads_like_a_difference_is_told_apart_from_it(add, results):
    add("a", training(lr=0.01))
    add("b", training(lr=0.02), name="lr 0.01")
    assert texts(results) == ["lr 0.01", "lr 0.01, lr 0.02"]


def test_what_nothing_tells_apart_leaves_out_its_rows_alone(add, store, results, capsys):
    # An empty option and none are two recipes by their id, and one by all that a table can show.
    add("base", seeds=(0, 1))
    for number, options in enumerate(({}, {"pad": {}})):
        what = Recipe.from_dict({"backbone": {"name": "vgg16"}}).what()
        what["backbone"]["options"] = options
        store(f"twin{number}", what=what)
    csv_path, _ = write_board(results)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "twin0.json" in said[0] and "twin1.json" in said[0] and "left out" in said[0]
    (row,) = csv.DictReader(io.StringIO(csv_path.read_text()))
    assert (row["backbone"], row["seeds"]) == ("resnet50", "2")


def test_two_records_of_one_seed_leave_out_their_row_alone(add, store, results, capsys):
    add("base")
    what = Recipe.from_dict({"backbone": {"name": "vgg16"}}).what()
    # No seed and an empty one: different ids of one recipe.
    store("twin0", what={key: value for key, value in what.items() if key != "seed"})
    store("twin1", what=what | {"seed": None})
    rows = read_board(results).rows
    assert [row["backbone"] for row in rows] == ["resnet50"]
    assert capsys.readouterr().err.count("\n") == 1
