from __future__ import annotations

import csv
import io
import math
import subprocess
import sys
from pathlib import Path

import pytest

from wsol.board import frame, read_board, read_records, write_board
from wsol.errors import UserError
from wsol.recipe import Recipe
from wsol.scores.records import RunRecord

# DESIGN's names, written out here once more: the columns are a contract with whoever reads the CSV.
FIRST = [
    *("dataset", "split", "backbone", "weights", "attention", "method", "maps"),
    *("protocol", "threshold_policy", "selection", "variant", "seeds"),
]
LAST = [
    *("input_size", "map_size", "params", "gflops", "images_per_second", "device"),
    *("pretraining", "extra_supervision", "tuning_trials", "epochs", "batch_size", "lr", "unlike"),
]
KEYS = [
    *("top1_acc", "top5_acc", "max_box_acc@0.3", "max_box_acc@0.5", "max_box_acc@0.7"),
    *("max_box_acc_v2@0.3", "max_box_acc_v2@0.5", "max_box_acc_v2@0.7", "max_box_acc_v2"),
    *("gt_known_loc@0.5", "top1_loc@0.5", "top5_loc@0.5", "box_acc_v2", "mean_iou"),
    *("pxap", "peak_iou", "rubinstein_p", "rubinstein_j"),
]
STATISTICS = [key + part for key in KEYS for part in ("", "_std", "_low", "_high")]


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_columns_are_the_contract(store, results):
    store("cam")
    csv_path, _ = write_board(results)
    header = csv_path.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert header == FIRST + STATISTICS + LAST


def test_one_seed_keeps_the_interval_over_images_and_leaves_the_rest_empty(store, results):
    store("cam")
    (row,) = rows_of(write_board(results)[0])
    assert [row[key] for key in FIRST] == [
        *(
            "birds",
            "test",
            "resnet50",
            "torchvision",
            "none",
            "cam",
            "cam",
            "choe2020",
            "oracle",
            "last",
            "",
            "1",
        )
    ]
    shown = {key: row[key] for key in row if row[key] and key not in FIRST}
    assert shown == {
        "max_box_acc@0.5": "58.000",
        "max_box_acc@0.5_low": "52.000",
        "max_box_acc@0.5_high": "64.000",
        "input_size": "224",
        "map_size": "14x14",
        "params": "25000000",
        "gflops": "4.125",
        "images_per_second": "12.3",
        "tuning_trials": "3",
        "epochs": "50",
        "batch_size": "32",
        "lr": "0.001",
    }


def test_few_seeds_have_a_deviation_and_no_interval(store, results):
    for seed, value in enumerate([50.0, 53.0, 56.0]):
        store(f"cam-{seed}", seed=seed, metrics={"top1_acc": {"value": value, "low": 1.0, "high": 99.0}})
    (row,) = rows_of(write_board(results)[0])
    assert row["seeds"] == "3"
    # By hand: deviations -3, 0, 3; variance 18 / 2.
    assert [row["top1_acc" + part] for part in ("", "_std", "_low", "_high")] == [
        "53.000",
        "3.000",
        "",
        "",
    ]


def test_five_seeds_have_the_t_interval_over_seeds(store, results):
    for seed, value in enumerate([50, 51, 52, 53, 54]):
        store(f"cam-{seed}", seed=seed, metrics={"top1_acc": {"value": value, "low": 1.0, "high": 99.0}})
    (row,) = rows_of(write_board(results)[0])
    # 2.7764 is t's 97.5 % quantile with four degrees of freedom, in any printed table.
    reach = 2.7764451 * math.sqrt(2.5) / math.sqrt(5)
    assert float(row["top1_acc_low"]) == pytest.approx(52 - reach, abs=6e-4)
    assert float(row["top1_acc_high"]) == pytest.approx(52 + reach, abs=6e-4)


def test_trials_are_those_of_the_settings_though_a_seed_is_older(store, results):
    path = store("a", seed=0)
    old = RunRecord.read(path)
    old.recipe["how"]["tuning_trials"] = 0
    old.write(path)
    store("b", seed=1)
    (row,) = rows_of(write_board(results)[0])
    assert (row["seeds"], row["tuning_trials"]) == ("2", "3")


def test_a_metric_that_one_seed_lacks_is_empty(store, results):
    store("a", seed=0, metrics={"pxap": 40.0})
    store("b", seed=1, metrics={"pxap": None})
    (row,) = rows_of(write_board(results)[0])
    assert row["pxap"] == ""


def test_an_unknown_metric_follows_the_known_ones(store, results):
    store("a", metrics={"boundary_f": 12.0})
    header = write_board(results)[0].read_text(encoding="utf-8").splitlines()[0].split(",")
    assert header.index("boundary_f") == header.index("rubinstein_j_high") + 1


def test_the_same_bytes_however_the_files_are_called_and_after_deleting(store, results):
    paths = [store(name, attention=attention) for name, attention in (("a", "rfga"), ("z/b", "tdam"))]
    store("center", maps="center", what={"source": "center"})
    written = [path.read_bytes() for path in write_board(results)]
    assert [path.read_bytes() for path in write_board(results)] == written
    for path in (results / "leaderboard.csv", results / "leaderboard.md"):
        path.unlink()
    paths[0].rename(paths[0].with_name("zz.json"))
    assert [path.read_bytes() for path in write_board(results)] == written
    assert b"\r" not in written[0] + written[1]


def test_rows_are_sorted_by_key(store, results):
    for attention in ("tdam", "none", "rfga"):
        store(attention, attention=attention)
    assert [row["attention"] for row in rows_of(write_board(results)[0])] == ["none", "rfga", "tdam"]


def test_a_record_without_a_network_leaves_its_columns_empty(store, results):
    store("center", maps="center", what={"source": "center"})
    (row,) = rows_of(write_board(results)[0])
    empty = [key for key in FIRST if not row[key]]
    assert empty == ["backbone", "weights", "attention", "method", "selection", "variant", "seeds"]


def test_options_and_step_off_default_make_rows_of_their_own(store, results):
    what = Recipe.from_dict(
        {"attention": {"name": "tdam", "options": {"steps": 3}, "at": "stage4"}}
    ).what()
    store("a", what=what)
    store("b", what=what, protocol={"name": "choe2020", "version": 1, "step": 0.01})
    rows = rows_of(write_board(results)[0])
    assert [(row["attention"], row["protocol"]) for row in rows] == [
        ("tdam(steps=3)@stage4", "choe2020"),
        ("tdam(steps=3)@stage4", "choe2020(step=0.01)"),
    ]


def test_a_record_that_is_being_written_is_left_alone(store, results):
    store("good")
    (results / "runs" / ".other-x1.json").write_text("{")
    assert len(read_records(results / "runs")) == 1


def test_no_records_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no run records"):
        write_board(tmp_path)


def test_published_numbers_never_become_rows(store, results):
    store("cam")
    before = write_board(results)[0].read_bytes()
    published = Path(__file__).parents[2] / "results" / "published.csv"
    (results / "published.csv").write_bytes(published.read_bytes())
    assert write_board(results)[0].read_bytes() == before


def test_every_published_number_has_its_source():
    published = Path(__file__).parents[2] / "results" / "published.csv"
    rows = rows_of(published)
    assert rows
    for row in rows:
        assert row["source"] and 0 < float(row["value"]) < 100
        assert row["metric"] in KEYS


def test_the_frame_is_the_csv_with_numbers_as_numbers(store, results):
    store("cam")
    store("center", maps="center", what={"source": "center"}, metrics={"max_box_acc@0.5": 54.0})
    table = frame(read_board(results).rows)
    assert list(table.columns) == FIRST + STATISTICS + LAST
    assert table["max_box_acc@0.5"].tolist() == [54.0, 58.0]
    assert table["attention"].tolist() == ["", "none"]
    assert table["seeds"].isna().tolist() == [True, False]


def test_the_command_imports_neither_torch_nor_anything_as_slow(store, results):
    store("cam")
    script = (
        "import sys; from wsol.cli.main import main; "
        "code = main(['leaderboard', '--results', sys.argv[1]]); "
        "slow = {'torch', 'torchvision', 'matplotlib', 'pandas', 'scipy', 'numba', 'cv2'}; "
        "slow &= set(sys.modules); sys.exit(f'imported {sorted(slow)}' if slow else code)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(results)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(results / name) for name in ("leaderboard.csv", "leaderboard.md")]


def facts(results: Path) -> list[str]:
    text = write_board(results)[1].read_text(encoding="utf-8")
    return [line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")]


def test_the_table_says_which_images_and_which_baselines_lack(store, results):
    store("cam")
    assert facts(results) == [
        "Data: birds, split test, 250 of 5,794 images: a subset.",
        "Protocol: choe2020. Thresholds: the best for each metric on the scored images themselves "
        "(oracle).",
        "Not scored here: the centred box (maps center) and the feature mean (maps features).",
        "Setting: input 224, maps 14x14, 50 epochs, batch size 32, optimizer sgd, lr 0.001, "
        "weight decay 0.0001.",
    ]


def test_of_a_subset_only_this_split_is_told(store, results):
    dataset = {"name": "birds", "manifest_hash": "a1", "split": "test", "val_fold": True}
    dataset["subset"] = "300 of 1500 train images, 250 of 500 test images"
    policy = {"policy": "val", "chosen_on": "val"}
    store("cam", dataset=dataset, threshold=policy, n_expected=250)
    assert facts(results)[:2] == [
        "Data: birds, split test, 250 images, of a subset: 250 of 500 test images.",
        "Protocol: choe2020. Thresholds: chosen on val, a fold held out of train; metrics named Max are "
        "always oracle.",
    ]


def test_rows_of_different_manifests_are_called_so(store, results):
    store("cam")
    other = {"name": "birds", "manifest_hash": "b2", "split": "test"}
    store("rfga", attention="rfga", dataset=other)
    assert "Rows stem from 2 different manifests of this name: they do not compare." in facts(results)


def test_tables_are_ranked_and_baselines_stand_in_line(store, results):
    for attention, value in (("none", 50.0), ("rfga", 61.0)):
        store(attention, attention=attention, metrics={"max_box_acc@0.5": value})
    store("center", maps="center", what={"source": "center"}, metrics={"max_box_acc@0.5": 55.5})
    store("val", threshold={"policy": "val"}, metrics={"max_box_acc@0.5": 99.0})
    text = write_board(results)[1].read_text(encoding="utf-8")
    oracle, val = text.split("## ")[1:]
    assert [line.split("|")[-3].strip() for line in oracle.splitlines() if line.startswith("|")] == [
        *("MaxBoxAcc .5", "--:", "61.0", "55.5", "50.0")
    ]
    assert "*center*" in oracle and "99.0" in val


def test_modules_that_start_as_identity_are_named(store, results):
    for name, identity in (("cam", False), ("nl", True)):
        record = RunRecord.read(store(name, attention=name if identity else "none"))
        record.recipe["how"]["starts_as_identity"] = identity
        record.write(results / "runs" / f"{name}.json")
    assert "- Attention that starts as identity: nl." in write_board(results)[1].read_text()


def test_metrics_of_single_classes_have_a_table_and_columns_of_their_own(store, results):
    figures = {"rubinstein_j": 40.0, "rubinstein_j:Horse": 30.0, "rubinstein_j:Car": 50.0}
    store("cam", metrics=figures | {"rubinstein_p:Car": 80.0})
    csv_path, page = write_board(results)
    (row,) = rows_of(csv_path)
    assert row["rubinstein_j:Horse"] == "30.000"
    lines = page.read_text(encoding="utf-8").splitlines()
    head, figures_line = lines[lines.index("By class:") + 2], lines[lines.index("By class:") + 4]
    assert head.endswith("| J Car | P Car | J Horse |")
    assert figures_line.endswith("| 50.0 | 80.0 | 30.0 |")


def test_a_name_like_a_formula_is_text_in_the_table_and_itself_in_the_frame(store, results):
    names = ["=1+1", "'@x", "-maps"]
    for name in names:
        store(name.strip("'="), what={"maps": "files", "content": name, "method": {"name": name}})
    write_board(results)
    text = (results / "leaderboard.csv").read_text(encoding="utf-8")
    assert all(f",'{name}," in text for name in names)
    found = frame(read_board(results).rows)
    assert sorted(found["method"]) == sorted(names)
    assert found["max_box_acc@0.5"].tolist() == [58.0] * 3
