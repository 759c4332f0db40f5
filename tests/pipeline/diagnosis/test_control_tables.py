"""The tables of the controls, and the command that prints them."""

from __future__ import annotations

import csv

from wsol.cli.diagnose import main
from wsol.pipeline.diagnosis import control_scores
from wsol.pipeline.diagnosis.control_scores import ControlScore
from wsol.pipeline.diagnosis.control_tables import markdown

SCORES = [
    ControlScore("object mask", "", "base 2", 7, {"max_box_acc@0.5": 100.0, "gt_known_loc@0.5": 99.0}),
    ControlScore("random cells", "knows nothing", "base 2", 7, {"max_box_acc@0.5": 3.25, "pxap": None}),
    ControlScore("object mask", "", "none", 8, {"map_auroc": 100.0, "map_fpr95": 0.0}),
]


def test_primary_figures_first_then_each_tests_own():
    text = markdown(SCORES)
    primary, base, none = text.split("\n## ")[1:]
    assert "7, 8 images or queries a test" in text
    first, _, mask, random = primary.splitlines()[2:6]
    assert first.startswith("| control | its failing | base 2 MaxBoxAcc .5 | company 1 MaxBoxAcc .5 |")
    assert "| none AUROC map |" in first
    assert mask.startswith("| object mask |  | 100.0 | - |") and "| 100.0 | - |" in mask[30:]
    assert random.startswith("| random cells | knows nothing | 3.2 | - |")
    # No column for what another says, nor for what no control has.
    assert base.splitlines()[2] == "| control | its failing | MaxBoxAcc .5 |"
    assert "FPR95 map (lower is better)" in none and "random" not in none


def test_the_command_prints_and_writes_them(monkeypatch, tmp_path, capsys):
    asked = []

    def scored(output, *, small):
        asked.append((output, small))
        return SCORES

    monkeypatch.setattr(control_scores, "score_all", scored)
    assert main(["--controls", "--small", "--output", str(tmp_path)]) == 0
    assert asked == [(tmp_path, True)]
    assert capsys.readouterr().out.startswith(markdown(SCORES))
    assert (tmp_path / "controls.md").read_text() == markdown(SCORES)
    rows = list(csv.DictReader((tmp_path / "controls.csv").open()))
    assert rows[2] == {
        "control": "random cells",
        "failing": "knows nothing",
        "images": "base 2",
        "metric": "max_box_acc@0.5",
        "value": "3.25",
    }
    assert len(rows) == 5
