"""Runs that were interrupted go on and end as if they had not been."""

import pytest
import torch

from wsol.errors import UserError
from wsol.training.run_folder import RunFolder


@pytest.mark.parametrize(
    "method", [("cam", {}), ("toy_methods:Adversarial", {"weight": 0.5, "critic_lr": 0.02})]
)
def test_interrupted_and_resumed_equals_uninterrupted(
    run, whole_run, equal, interrupt_after, method, recipe_of, tiny_split, tmp_path, monkeypatch
):
    recipe = recipe_of(*method, epochs=3)
    whole, whole_log = whole_run(recipe, tiny_split, tmp_path / "whole")
    with monkeypatch.context() as patch:
        interrupt_after(patch, "finish_epoch")
        with pytest.raises(KeyboardInterrupt):
            run(recipe, tiny_split, tmp_path / "cut")
    assert RunFolder(tmp_path / "cut").progress()["epochs"] == 1
    resumed, log = whole_run(recipe, tiny_split, tmp_path / "cut")
    assert equal(resumed["module"], whole["module"])
    for name, state in whole["optimizers"].items():
        again = resumed["optimizers"][name]
        assert again["param_groups"] == state["param_groups"]
        for index, values in state["state"].items():
            assert all(torch.equal(again["state"][index][key], value) for key, value in values.items())
    timeless = [
        [{key: value for key, value in row.items() if "second" not in key} for row in rows]
        for rows in (log, whole_log)
    ]
    assert timeless[0] == timeless[1]


def test_a_run_interrupted_before_methods_had_turns_goes_on(
    run, interrupt_after, recipe_of, tiny_split, tmp_path, monkeypatch
):
    """Its resume.pth holds one optimizer, under ``optimizer``, and nothing of what is fitted."""
    recipe = recipe_of()
    whole, _ = run(recipe, tiny_split, tmp_path / "whole")
    with monkeypatch.context() as patch:
        interrupt_after(patch, "finish_epoch")
        with pytest.raises(KeyboardInterrupt):
            run(recipe, tiny_split, tmp_path / "cut")
    folder = RunFolder(tmp_path / "cut")
    progress = folder.progress()
    old = {key: progress[key] for key in ("epochs", "log", "best", "module", "precision")}
    folder.save_progress({**old, "optimizer": progress["optimizers"]["main"]})
    run(recipe, tiny_split, tmp_path / "cut")
    files = [path / "last.safetensors" for path in (whole, tmp_path / "cut")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_resume_file_of_other_turns_is_refused(run, recipe_of, tiny_split, tmp_path):
    recipe = recipe_of(epochs=1)
    run(recipe, tiny_split, tmp_path)
    folder = RunFolder(tmp_path)
    progress = folder.progress()
    states = {"other": progress["optimizers"]["main"]}
    folder.save_progress({**progress, "optimizers": states})
    with pytest.raises(
        UserError, match=r"resume\.pth: does not fit this method .*turns other"
    ) as caught:
        run(recipe, tiny_split, tmp_path)
    assert "\n" not in str(caught.value)
