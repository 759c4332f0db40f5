"""Frozen networks: what stays, and what is trained."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from wsol.errors import UserError
from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.models.insertion.feedback_block import FeedbackBlock
from wsol.recipe import AttentionSettings, EvaluationSettings
from wsol.training.freezing import freeze, trained_parameters
from wsol.training.validation import validate


def backbone_part(state):
    return {name: value for name, value in state.items() if ".backbone." in name}


@pytest.mark.parametrize("cached", [False, True])
def test_the_network_stays_and_the_head_learns(
    state, run, start, equal, frozen_of, tiny_split, tmp_path, cached
):
    recipe = frozen_of(cache_features=cached)
    before = {f"localizer.{name}": one for name, one in start(recipe, tiny_split).state_dict().items()}
    folder, _ = run(recipe, tiny_split, tmp_path / "runs" / "one")
    after = state(folder)
    assert len(backbone_part(after)) > 10
    assert equal(backbone_part(after), backbone_part(before))  # running statistics among them
    assert not torch.equal(
        after["localizer.head.classifier.weight"], before["localizer.head.classifier.weight"]
    )


def test_without_freeze_statistics_move(state, run, start, equal, recipe_of, tiny_split, tmp_path):
    recipe = recipe_of(epochs=1, lr=0.0, weight_decay=0.0)
    before = {f"localizer.{name}": one for name, one in start(recipe, tiny_split).state_dict().items()}
    folder, _ = run(recipe, tiny_split, tmp_path)
    assert not equal(backbone_part(state(folder)), backbone_part(before))


def test_a_stage_from_head_from_on_is_trained(state, run, start, frozen_of, tiny_split, tmp_path):
    recipe = frozen_of(head_from="stage2", epochs=1)
    before = start(recipe, tiny_split).state_dict()
    folder, _ = run(recipe, tiny_split, tmp_path)
    after = state(folder)
    for stage, stays in (("stage1", True), ("stage2", False)):
        names = [name for name in before if f"stages.{stage}." in name and "num_batches" not in name]
        assert names
        same = [torch.equal(before[name], after[f"localizer.{name}"]) for name in names]
        assert all(same) if stays else not any(same)


@pytest.mark.parametrize("attention", [("se", ()), ("tdam", ("stage2",)), ("adl", ("stage2.0",))])
def test_attention_inside_a_frozen_network_is_in_training_mode(attention, frozen_of):
    name, at = attention
    recipe = dataclasses.replace(frozen_of(), attention=AttentionSettings(name, at))
    localizer = build_localizer(recipe, 3)
    method = build_method(recipe, localizer)
    freeze(recipe, method)
    method.train()
    inside = {id(module) for part in localizer.attention_parts for module in part.modules()}
    modes = {
        (id(module) in inside, module.training)
        for module in localizer.backbone.stages.modules()
        if isinstance(module, nn.BatchNorm2d | nn.Conv2d) or id(module) in inside
    }
    assert modes == {(False, False), (True, True)}
    own = sum(one.numel() for part in localizer.attention_parts for one in part.parameters())
    head = sum(one.numel() for one in localizer.head.parameters())
    assert trained_parameters(method) == own + head
    method.eval()
    assert not any(module.training for module in method.modules())
    assert name != "tdam" or any(isinstance(one, FeedbackBlock) for one in localizer.modules())


@pytest.mark.parametrize("cached", [False, True])
def test_maps_that_need_gradients_are_read_from_a_frozen_network(
    state, run, start, frozen_of, tiny_split, tmp_path, cached
):
    """Training validates with them, in the same process: the frozen network begins no graph itself."""
    recipe = dataclasses.replace(
        frozen_of(selection="val_loc", cache_features=cached),
        evaluation=EvaluationSettings(maps=["torchcam:GradCAM"]),
    )
    folder, log = run(recipe, tiny_split, tmp_path / "runs" / "one")
    values = [float(row["val_loc"]) for row in log]
    assert all(0 <= value <= 100 for value in values)
    # The same maps of the same weights, none of them frozen.
    network = start(recipe, tiny_split)
    network.load_state_dict({name[10:]: one for name, one in state(folder).items()})
    assert validate(network, tiny_split.manifest, recipe)["val_loc"] == values[-1]


def test_an_unknown_part_is_named(run, frozen_of, tiny_split, tmp_path):
    with pytest.raises(UserError, match=r"training\.freeze is 'backbon': did you mean 'backbone'"):
        run(frozen_of().changed(training={"freeze": "backbon"}), tiny_split, tmp_path)
