"""DREAL in the training loop: resumed, logged, and gone from what is saved."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from wsol.recipe import AttentionSettings
from wsol.training.run_folder import RunFolder


@pytest.mark.parametrize("options", [{}, {"reward": "scal", "shuffled": True}])
def test_resumed_equals_uninterrupted(
    run, whole_run, equal, interrupt_after, recipe_of, tiny_split, tmp_path, monkeypatch, options
):
    recipe = recipe_of("dreal", options, epochs=3)
    recipe = dataclasses.replace(recipe, attention=AttentionSettings("se"))
    whole, whole_log = whole_run(recipe, tiny_split, tmp_path / "whole")
    with monkeypatch.context() as patch:
        interrupt_after(patch, "finish_epoch")
        with pytest.raises(KeyboardInterrupt):
            run(recipe, tiny_split, tmp_path / "cut")
    resumed, log = whole_run(recipe, tiny_split, tmp_path / "cut")
    assert equal(resumed["module"], whole["module"])
    assert any(name.startswith("critic.") for name in resumed["module"])
    for index, state in whole["optimizers"]["critic"]["state"].items():
        again = resumed["optimizers"]["critic"]["state"][index]
        assert all(torch.equal(again[key], value) for key, value in state.items())
    said = ("gain_stage1.1", "reward_stage1.1", "value_stage1.1", "loss_actor", "loss_critic")
    assert [[row[key] for key in said] for row in log] == [
        [row[key] for key in said] for row in whole_log
    ]
    assert len(log) == 3
    assert RunFolder(tmp_path / "cut").finished or (tmp_path / "cut" / "last.safetensors").exists()


def test_the_weights_that_are_saved_are_the_networks(run, recipe_of, tiny_split, tmp_path):
    from safetensors.torch import load_file

    names = {}
    for method in ("cam", "dreal"):
        recipe = dataclasses.replace(recipe_of(method, epochs=1), attention=AttentionSettings("se"))
        folder, _ = run(recipe, tiny_split, tmp_path / method)
        names[method] = set(load_file(folder / "last.safetensors"))
    assert names["cam"] == names["dreal"]
