"""Training that cannot begin or may not go on ends in one line, and spoils no folder."""

import numpy as np
import pytest
import torch

from wsol.errors import UserError
from wsol.training.run_folder import RunFolder
from wsol.training.turns import Turn


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ("none", r"configure_optimizers\(\) returns the turns \[\]: it must return one or more"),
        ("twice", r"returns the turns \['one', 'one'\]: .* each with a name of its own"),
        ("foreign", "turn 'one' trains parameters that are not the method's"),
        ("empty", "turn 'one' trains nothing"),
    ],
)
def test_wrong_turns_are_told_before_anything_is_written(
    run, turns, message, recipe_of, tiny_split, tmp_path
):
    recipe = recipe_of("toy_methods:StepsIn", {"turns": turns})
    with pytest.raises(UserError, match=message) as caught:
        run(recipe, tiny_split, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_logged_name_that_is_taken_is_refused(run, recipe_of, tiny_split, tmp_path):
    with pytest.raises(UserError, match=r"StepOutput\.log names 'val_cls', a column of"):
        run(recipe_of("toy_methods:Writes"), tiny_split, tmp_path)


def test_a_loss_that_is_not_finite_is_named(run, recipe_of, tiny_split, tmp_path):
    with pytest.raises(UserError, match=r"the loss is (nan|inf) in epoch \d: lower training\.lr"):
        run(recipe_of(lr=1e30), tiny_split, tmp_path)


def test_weights_that_only_the_last_step_spoils_end_the_run(
    run, recipe_of, tiny_split, tmp_path, monkeypatch
):
    """The loss is computed before the step: it is finite, and there is no epoch after that shows it."""
    recipe = recipe_of(epochs=2)
    take, steps = Turn.take, []

    def spoiled(self, *batch):
        output = take(self, *batch)
        steps.append(float(output.loss.detach()))
        if len(steps) == 6:  # 20 images in batches of 8: three steps an epoch
            with torch.no_grad():
                next(iter(self.module.parameters())).view(-1)[0] = float("nan")
        return output

    monkeypatch.setattr(Turn, "take", spoiled)
    with pytest.raises(UserError, match=r"epoch 2: the weights are not finite \(backbone\.\S+\): lower"):
        run(recipe, tiny_split, tmp_path)
    assert np.isfinite(steps).all()
    assert RunFolder(tmp_path).progress()["epochs"] == 1
    assert not RunFolder(tmp_path).finished
