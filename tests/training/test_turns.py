"""Turns: what requires a gradient in which, and two processes that train one method."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.recipe import TrainingSettings
from wsol.training.device import launch
from wsol.training.turns import prepare_turns, without_gradient

TOP = Path(__file__).parents[2]


@pytest.fixture
def method(recipe_of):
    torch.manual_seed(0)
    recipe = recipe_of("toy_methods:Adversarial")
    return build_method(recipe, build_localizer(recipe, 10))


def requiring(method):
    return {name for name, one in method.named_parameters() if one.requires_grad}


def test_in_its_turn_only_what_it_trains_requires_a_gradient(method, monkeypatch):
    frozen = "localizer.backbone.stages.stage1.0.weight"
    method.get_parameter(frozen).requires_grad_(False)
    before = requiring(method)
    seen, real = {}, type(method).step

    def step(self, images, labels, turn):
        seen[turn] = requiring(self)
        return real(self, images, labels, turn)

    monkeypatch.setattr(type(method), "step", step)
    images, labels = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 3])
    turns = prepare_turns(method, TrainingSettings(), launch("cpu", "32-true"))
    assert requiring(method) == before
    got = {}
    for turn in turns:
        method.zero_grad()
        turn.take(images, labels)
        got[turn.name] = {name for name, one in method.named_parameters() if one.grad is not None}
    critic = {name for name in before if name.startswith("critic.")}
    assert seen == {"critic": critic, "localizer": before - critic}
    assert got == seen
    assert requiring(method) == before
    assert frozen not in before


def test_a_turn_moves_its_own_parameters_alone(method):
    turns = prepare_turns(method, TrainingSettings(lr=0.1), launch("cpu", "32-true"))
    before = {name: one.detach().clone() for name, one in method.named_parameters()}
    turns[0].take(torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 3]))
    moved = {name for name, one in method.named_parameters() if not torch.equal(one, before[name])}
    assert moved == {"critic.1.weight", "critic.1.bias"}


def test_gradients_are_required_again_after_an_error():
    first, second = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1), requires_grad=False)
    with pytest.raises(ZeroDivisionError), without_gradient([first, second]):
        assert not first.requires_grad
        raise ZeroDivisionError
    assert first.requires_grad
    assert not second.requires_grad


RANK = """
import hashlib, sys
from pathlib import Path
from wsol.data.manifest.manifest import Manifest
from wsol.recipe import Recipe
from wsol.training.device import launch
from wsol.training.run_folder import RunFolder
from wsol.training.training_state import TrainingState
from wsol.training import loop

def finish_training(self):
    state = {**{n: p for n, p in self.method.named_parameters()}}
    joined = b"".join(state[name].detach().numpy().tobytes() for name in sorted(state))
    out = Path(sys.argv[2], f"rank{self.fabric.global_rank}")
    out.write_text(hashlib.sha256(joined).hexdigest())
    return self.method.trained()

TrainingState.finish_training = finish_training
recipe = Recipe.from_yaml(sys.argv[1])
split = Manifest.read(recipe.data.manifest).split("train")
loop.train(recipe, split, RunFolder(sys.argv[2]), launch("cpu", "32-true"))
"""


def test_two_processes_keep_every_turns_parameters_alike(recipe_of, tmp_path):
    """Each sees other images: without synchronised gradients their weights would part."""
    recipe = recipe_of("toy_methods:Adversarial", batch_size=4)
    script, path = tmp_path / "rank.py", recipe.write(tmp_path / "recipe.yaml")
    script.write_text(RANK)
    toys = TOP / "tests" / "methods"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{TOP}{os.pathsep}{toys}"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [*torchrun, "--", script, path, tmp_path]
    done = subprocess.run(
        [str(word) for word in command], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = ((tmp_path / f"rank{rank}").read_text() for rank in range(2))
    assert one == two
    torch.manual_seed(recipe.seed)
    method = build_method(recipe, build_localizer(recipe, 10))
    state = dict(method.named_parameters())
    joined = b"".join(state[name].detach().numpy().tobytes() for name in sorted(state))
    assert one != hashlib.sha256(joined).hexdigest()
