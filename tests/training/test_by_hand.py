"""The loop against loops written by hand, bit for bit."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from wsol.data.loading.loader import train_loader
from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.training.optimizer import rate_factor

ADVERSARIAL = ("toy_methods:Adversarial", {"weight": 0.5, "critic_lr": 0.02})


def epoch_seed(recipe, epoch):
    torch.manual_seed(recipe.seed * 1_000_003 + epoch * 1_009)


def test_plain_training_is_momentum_sgd_on_the_cross_entropy(
    run, start, recipe_of, tiny_split, tmp_path
):
    recipe = recipe_of(nesterov=False, head_lr=0.1, weight_decay=0.01)
    folder, log = run(recipe, tiny_split, tmp_path / "run")
    localizer = start(recipe, tiny_split)
    velocities = {name: torch.zeros_like(one) for name, one in localizer.named_parameters()}
    for epoch in range(2):
        epoch_seed(recipe, epoch)
        localizer.train()
        loader, losses, right = train_loader(tiny_split, recipe, epoch=epoch), [], 0
        for step, batch in enumerate(loader):
            logits = localizer(batch.images).logits
            loss = functional.cross_entropy(logits, batch.labels)
            losses += [float(loss.detach())] * len(batch.labels)
            right += int((logits.argmax(1) == batch.labels).sum())
            names, parameters = zip(*localizer.named_parameters(), strict=True)
            factor = rate_factor(recipe.training, epoch + step / len(loader))
            with torch.no_grad():
                gradients = torch.autograd.grad(loss, parameters)
                for name, parameter, gradient in zip(names, parameters, gradients, strict=True):
                    velocities[name] = 0.9 * velocities[name] + gradient + 0.01 * parameter
                    rate = (0.1 if name.startswith("head.") else 0.05) * factor
                    parameter -= rate * velocities[name]
        assert float(log[epoch]["loss"]) == pytest.approx(np.mean(losses), abs=2e-5)
        assert float(log[epoch]["train_top1_acc"]) == pytest.approx(100 * right / 20, abs=0.01)
    found = load_file(folder / "last.safetensors")
    for name, expected in localizer.state_dict().items():
        torch.testing.assert_close(found[name], expected, rtol=1e-4, atol=1e-6)


def adversarial_by_hand(recipe, split):
    """Two epochs of the toy's turns: no toggling, gradients by `torch.autograd.grad` for each turn."""
    torch.manual_seed(recipe.seed)
    method = build_method(recipe, build_localizer(recipe, 10, split.class_keys))
    localizer, critic = method.localizer, method.critic
    head = list(localizer.head.parameters())
    backbone = [one for one in localizer.parameters() if all(one is not other for other in head)]
    critic_adam = torch.optim.Adam(critic.parameters(), lr=0.02)
    sgd = torch.optim.SGD(
        [{"params": backbone}, {"params": head}],
        lr=0.05,
        momentum=0.9,
        nesterov=True,
        weight_decay=1e-4,
    )
    margins = []
    for epoch in range(recipe.training.epochs):
        epoch_seed(recipe, epoch)
        method.train()
        loader = train_loader(split, recipe, epoch=epoch)
        sums = []
        for step, (images, labels, *_) in enumerate(loader):
            factor = rate_factor(recipe.training, epoch + step / len(loader))
            critic_adam.param_groups[0]["lr"] = 0.02 * factor
            for group in sgd.param_groups:
                group["lr"] = 0.05 * factor
            with torch.no_grad():
                features = localizer(images).features.mean(dim=(2, 3))
            guess = critic(features)
            update(critic_adam, functional.cross_entropy(guess, labels))
            sums.append(float(guess.detach().max(dim=1).values.mean()) * len(labels))
            output = localizer(images)
            guess = critic(output.features.mean(dim=(2, 3)))
            loss = functional.cross_entropy(output.logits, labels)
            update(sgd, loss - 0.5 * functional.cross_entropy(guess, labels))
        margins.append(sum(sums) / len(split))
    return method.state_dict(), margins


def update(optimizer, loss):
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()


def test_alternating_turns_are_the_hand_written_loop_bit_for_bit(
    whole_run, equal, recipe_of, tiny_split, tmp_path
):
    recipe = recipe_of(*ADVERSARIAL)
    progress, log = whole_run(recipe, tiny_split, tmp_path / "run")
    by_hand, margins = adversarial_by_hand(recipe, tiny_split)
    assert equal(progress["module"], by_hand)
    assert list(progress["optimizers"]) == ["critic", "localizer"]
    found = [float(row["critic_margin"]) for row in log]
    assert found == pytest.approx(margins, abs=2e-5)
    for row in log:
        parts = float(row["loss_critic"]) + float(row["loss_localizer"])
        assert float(row["loss"]) == pytest.approx(parts, abs=2e-5)
        assert float(row["train_top1_acc"]) % 5 == 0  # of 20 images


def test_the_critic_matters_so_that_the_comparison_can_fail(whole_run, recipe_of, tiny_split, tmp_path):
    name, options = ADVERSARIAL
    first, _ = whole_run(recipe_of(name, options), tiny_split, tmp_path / "one")
    second, _ = whole_run(recipe_of(name, {**options, "critic_lr": 0.04}), tiny_split, tmp_path / "two")
    keys = [key for key in first["module"] if key.startswith("localizer.backbone")]
    assert not all(torch.equal(first["module"][key], second["module"][key]) for key in keys)
