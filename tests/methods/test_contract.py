"""One contract test over every registered training method, and over toy methods from outside."""

from __future__ import annotations

import pytest
import torch

from wsol.methods import METHODS
from wsol.methods.build import build_method, trained_localizer
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.recipe import (
    AttentionSettings,
    BackboneSettings,
    DataSettings,
    MethodSettings,
    Recipe,
    TrainingSettings,
)

CLASSES = 4
OUTSIDE = ["toy_methods:Adversarial", "toy_methods:ClassMeans", "toy_methods:WithBuffer"]
everywhere = pytest.mark.parametrize("name", [*METHODS.names(), *OUTSIDE])


def recipe_of(name):
    # The loss of stacks needs some, and so do glances.
    stacked = name == "stacked"
    glances = AttentionSettings("dvan" if name == "dvan" else "rfga")
    hourglass = BackboneSettings("hourglass_stem", options={"width": 16, "stem": "small"})
    stacks = AttentionSettings("hourglass", options={"stacks": 2, "depth": 2})
    if name in ("trilite", "ts_cam"):  # heads on a class token
        options = {"depth": 2, "embed_dim": 24, "num_heads": 3, "patch_size": 8}
        return Recipe(
            data=DataSettings(input_size=32, resize_size=32),
            backbone=BackboneSettings("vit_small_patch16_224", options=options),
            method=MethodSettings(name),
            training=TrainingSettings(lr=0.1, freeze="backbone" if name == "trilite" else ""),
        )
    return Recipe(
        data=DataSettings(input_size=32, resize_size=32),
        backbone=hourglass if stacked else BackboneSettings("small_resnet"),
        attention=stacks if stacked else glances,
        method=MethodSettings(name),
        training=TrainingSettings(lr=0.1, boxed_images=int(METHODS.get(name).needs_boxes)),
    )


def method_of(name, seed=0):
    torch.manual_seed(seed)
    recipe = recipe_of(name)
    return build_method(recipe, build_localizer(recipe, CLASSES))


def batch():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(6, 3, 32, 32, generator=generator), torch.tensor([0, 1, 2, 3, 0, 1])


def step(method, turn):
    """One on the batch, with boxes where the method needs them."""
    boxes = [torch.tensor([[4.0, 8.0, 20.0, 28.0]])] * 6
    return method(*batch(), turn.name, **({"boxes": boxes} if method.needs_boxes else {}))


def trained_by(turn):
    if isinstance(turn.trains, torch.optim.Optimizer):
        return [one for group in turn.trains.param_groups for one in group["params"]]
    return [one for parameters in turn.trains.values() for one in parameters]


@everywhere
def test_it_says_what_it_is(name):
    assert len((METHODS.get(name).__doc__ or "").partition("\n")[0]) > 20


@everywhere
def test_its_turns_train_all_of_it_and_each_parameter_once_a_turn(name):
    method = method_of(name)
    turns = method.configure_optimizers(recipe_of(name).training)
    assert len({turn.name for turn in turns}) == len(turns) > 0
    trained = set()
    for turn in turns:
        places = [id(one) for one in trained_by(turn)]
        assert len(places) == len(set(places))
        trained |= set(places)
    assert trained == {id(one) for one in method.parameters() if one.requires_grad}


@everywhere
def test_every_turn_gives_a_loss_whose_gradient_reaches_what_it_trains(name):
    method = method_of(name).train()
    classifying = 0
    for turn in method.configure_optimizers(recipe_of(name).training):
        output = step(method, turn)
        assert output.loss.shape == ()
        assert torch.isfinite(output.loss)
        if output.logits is not None:
            assert output.logits.shape == (6, CLASSES)
            classifying += 1
        method.zero_grad()
        output.loss.backward()
        parameters = trained_by(turn)
        assert all(one.grad is not None and torch.isfinite(one.grad).all() for one in parameters)
        assert any(one.grad.any() for one in parameters)
    assert classifying > 0


@everywhere
def test_the_same_seed_gives_the_same_loss(name):
    losses = []
    for _ in range(2):
        method = method_of(name).train()
        torch.manual_seed(5)
        turns = method.configure_optimizers(recipe_of(name).training)
        losses.append([step(method, turn).loss for turn in turns])
    assert losses[0] == losses[1]


@everywhere
def test_what_is_saved_is_what_a_run_opened_again_scores(name):
    method = method_of(name)
    trained = method.trained()
    assert isinstance(trained, Localizer)
    own = {id(one) for one in method.parameters()}
    assert all(id(one) in own for one in trained.parameters())
    opened = trained_localizer(recipe_of(name), [str(number) for number in range(CLASSES)])
    opened.load_state_dict(trained.state_dict())
    images, _ = batch()
    with torch.no_grad():
        first, second = trained.eval()(images), opened.eval()(images)
    assert torch.equal(first.logits, second.logits)
    if first.class_maps is not None:
        assert torch.equal(first.class_maps, second.class_maps)
