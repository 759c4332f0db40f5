"""The generated pages of the site are what their records and cards say now."""

import re
from pathlib import Path

import pandas as pd

from wsol.board import frame, read_board, read_records

ROOT = Path(__file__).resolve().parents[2]


def test_results_are_those_of_the_committed_records(generate):
    page = generate("results_page").results_page(ROOT, read_board(ROOT / "results").sections)
    assert page == (ROOT / "docs" / "results.md").read_text("utf-8"), "run python docs/generate"


def test_data_sets_are_those_of_the_cards(generate):
    page = generate("data_sets_page").data_sets_page(ROOT)
    assert page == (ROOT / "docs" / "data-sets.md").read_text("utf-8"), "run python docs/generate"


def test_figures_of_a_table_are_those_of_the_boards_frame():
    """By another way: the CSV's own numbers, rounded here, in the order of the table's rows."""
    rows = frame(read_board(ROOT / "results").rows)
    clutter = rows[(rows["dataset"] == "clutter") & (rows["maps"] == "cam")].set_index("attention")
    text = (ROOT / "docs" / "results.md").read_text("utf-8").partition("## Every module")[2]
    lines = re.findall(r"^\| \*?([a-z]+)\*? \|.*$", text, re.MULTILINE)
    assert len(lines) > 20
    for name in set(lines) - {"attention", "bat"}:  # bat has an option in its name
        (line,) = re.findall(rf"^\| \*?{name}\*? \|.*$", text, re.MULTILINE)
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        row = clutter.loc[name]
        expected = f"{row['max_box_acc@0.5']:.1f} ± {row['max_box_acc@0.5_std']:.1f}"
        assert cells[6].rstrip(" ↑↓") == expected


def test_methods_have_the_boards_figures_and_the_rates_that_were_chosen():
    """By another way: the CSV's own numbers, rounded here; rates from the list of trials."""
    rows = frame(read_board(ROOT / "results").rows)
    rows = rows[(rows["tuning_trials"] > 0) & (rows["maps"] == "cam")]
    text = (ROOT / "docs" / "results.md").read_text("utf-8").partition("## Methods on")[2]
    text = text.partition("\n## ")[0]
    lines = re.findall(r"^\| (\w+) \| ([\d.e-]+) \|(.*)$", text, re.MULTILINE)
    shown = {
        (float(rate), figures.split("|")[2].strip()) for _, rate, figures in lines if "±" in figures
    }
    assert len(shown) == len(rows) > 1
    assert shown == {
        (row["lr"], f"{row['max_box_acc@0.5']:.1f} ± {row['max_box_acc@0.5_std']:.1f}")
        for _, row in rows.iterrows()
    }
    trials = pd.read_csv(ROOT / "benchmarks" / "results" / "learning_rates.csv", comment="#")
    chosen = trials.sort_values(["val top-1", "multiple"], ascending=[False, True])
    chosen = chosen.groupby("recipe").first()
    assert sorted(chosen["lr"]) == sorted(rows["lr"])
    assert set(trials.loc[trials["chosen"] == "yes", "lr"]) == set(chosen["lr"])


def test_holm_by_hand(generate):
    """0.001 < 0.05 / 4 and 0.016 < 0.05 / 3, but 0.03 > 0.05 / 2: there it stops."""
    holm = generate("comparisons").holm
    assert holm([0.03, 0.001, 0.04, 0.016]) == [False, True, False, True]
    assert holm([]) == []


def test_a_row_with_another_setting_is_named(generate):
    page = (ROOT / "docs" / "results.md").read_text("utf-8")
    assert page.count("Another setting: ltpa has training.epochs 22 instead of 15.") == 1
    assert page.count("Another setting:") == 1


def test_every_committed_row_was_computed_with_one_thread():
    """The page says so of all."""
    devices = {
        device
        for record in read_records(ROOT / "results" / "runs")
        for device in (
            record.cost.get("device"),
            (record.recipe["how"].get("training") or {}).get("device"),
        )
    }
    assert devices == {None, "CPU, 1 threads"}
