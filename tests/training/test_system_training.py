"""Methods that need a network of their own go through the training loop, log and all."""

from __future__ import annotations

import dataclasses

import pytest

from wsol.recipe import AttentionSettings, BackboneSettings, EvaluationSettings

STEM = BackboneSettings("hourglass_stem", options={"width": 8, "stem": "small"})
STACKS = AttentionSettings("hourglass", options={"stacks": 2, "depth": 2})
SMALL = BackboneSettings("small_resnet", options={"widths": [4, 6], "blocks": 1})


@pytest.mark.parametrize(
    ("method", "backbone", "attention", "columns"),
    [
        ("stacked", STEM, STACKS, ["stack1_loss", "stack2_loss"]),
        ("dvan", SMALL, AttentionSettings("dvan", options={"canvases": 2}), ["overlap"]),
        ("dasnet", SMALL, AttentionSettings(), []),
    ],
)
def test_what_it_logs_are_columns(
    run, recipe_of, tiny_split, tmp_path, method, backbone, attention, columns
):
    options = {"generations": 2} if method == "dasnet" else {}
    recipe = dataclasses.replace(
        recipe_of(method, options, epochs=2),
        backbone=backbone,
        attention=attention,
        evaluation=EvaluationSettings(maps=["attention"] if method == "dvan" else ["cam"]),
    )
    folder, log = run(recipe, tiny_split, tmp_path / "run")
    assert len(log) == 2 and set(columns) <= log[0].keys()
    assert all(float(row[column]) > 0 for row in log for column in columns)
    assert (folder / "last.safetensors").exists()
