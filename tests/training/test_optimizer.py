"""Learning rates by hand, and which parameters train at which."""

import math

import pytest
import torch
from torch import nn

from wsol.errors import UserError
from wsol.recipe import TrainingSettings
from wsol.training.optimizer import build_optimizer, rate_factor, set_rates


def test_step_schedule_by_hand():
    training = TrainingSettings(epochs=20, schedule="step", milestones=[5, 10], gamma=0.1)
    assert [rate_factor(training, epoch) for epoch in (0, 4.9, 5, 9.9)] == [1, 1, 0.1, 0.1]
    assert rate_factor(training, 10) == pytest.approx(0.01)


def test_cosine_schedule_by_hand():
    training = TrainingSettings(epochs=12, schedule="cosine", warmup_epochs=2)
    assert rate_factor(training, 1) == pytest.approx(0.5, abs=1e-3)
    assert rate_factor(training, 2) == 1
    assert rate_factor(training, 7) == pytest.approx(0.5)
    assert rate_factor(training, 12) == pytest.approx(0, abs=1e-12)
    assert rate_factor(training, 4.5) == pytest.approx((1 + math.cos(math.pi / 4)) / 2)


def test_groups_have_their_own_rates():
    parts = ("backbone", "attention", "head", "critic")
    groups = {part: [nn.Parameter(torch.zeros(1))] for part in parts}
    optimizer = build_optimizer(groups, TrainingSettings(lr=1.0, attention_lr=2.0, head_lr=3.0))
    set_rates(optimizer, 0.5)
    rates = {group["name"]: group["lr"] for group in optimizer.param_groups}
    assert rates == {"backbone": 0.5, "attention": 1.0, "head": 1.5, "critic": 1.5}


def test_frozen_parts_are_left_out():
    frozen = nn.Parameter(torch.zeros(1), requires_grad=False)
    trained = nn.Parameter(torch.zeros(1))
    optimizer = build_optimizer({"backbone": [frozen], "head": [trained]}, TrainingSettings())
    assert [group["name"] for group in optimizer.param_groups] == ["head"]


@pytest.mark.parametrize("change", [{"optimizer": "lion"}, {"schedule": "linear"}])
def test_unknown_names(change):
    with pytest.raises(UserError, match="there are"):
        build_optimizer({"head": [nn.Parameter(torch.zeros(1))]}, TrainingSettings(**change))
        rate_factor(TrainingSettings(**change), 0)
