"""Parameter groups, optimizer and the learning rate at any moment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from wsol.errors import UserError
from wsol.recipe import TrainingSettings


def build_optimizer(
    groups: Mapping[str, Sequence[nn.Parameter]], training: TrainingSettings
) -> torch.optim.Optimizer:
    """SGD or AdamW over named groups; each group remembers its full learning rate as ``base_lr``.

    ``backbone`` trains at ``lr``, ``attention`` at ``attention_lr``, ``head`` and what else a method
    owns at ``head_lr``; 0 means ``lr``.
    """
    rates = {"backbone": training.lr, "attention": training.attention_lr or training.lr}
    options = [
        {
            "params": [parameter for parameter in parameters if parameter.requires_grad],
            "name": name,
            "lr": (rate := rates.get(name, training.head_lr or training.lr)),
            "base_lr": rate,
        }
        for name, parameters in groups.items()
    ]
    options = [group for group in options if group["params"]]
    if training.optimizer == "sgd":
        return torch.optim.SGD(
            options,
            lr=training.lr,
            momentum=training.momentum,
            nesterov=training.nesterov and training.momentum > 0,
            weight_decay=training.weight_decay,
        )
    if training.optimizer == "adamw":
        return torch.optim.AdamW(options, lr=training.lr, weight_decay=training.weight_decay)
    raise UserError(f"training.optimizer is {training.optimizer!r}: there are sgd, adamw")


def rate_factor(training: TrainingSettings, epoch: float) -> float:
    """What the learning rates are multiplied by at ``epoch`` (fractional: steps count within it).

    ``step``: gamma to the number of milestones passed. ``cosine``: half a cosine to zero. Both after a
    linear warm-up of ``warmup_epochs``.
    """
    if epoch < training.warmup_epochs:
        return (epoch + 1e-3) / training.warmup_epochs
    if training.schedule == "step":
        return training.gamma ** sum(epoch >= milestone for milestone in training.milestones)
    if training.schedule == "cosine":
        span = max(training.epochs - training.warmup_epochs, 1)
        return 0.5 * (1 + math.cos(math.pi * (epoch - training.warmup_epochs) / span))
    raise UserError(f"training.schedule is {training.schedule!r}: there are step, cosine")


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set every group's learning rate to ``factor`` of its full one."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor
