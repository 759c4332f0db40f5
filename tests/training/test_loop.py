"""The loop against loops written by hand, bit for bit; interruptions; what is fitted after training."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from wsol.data.loading.loader import train_loader
from wsol.errors import UserError
from wsol.methods.build import build_method, trained_localizer
from wsol.models.factory import build_localizer
from wsol.training import loop
from wsol.training.device import launch
from wsol.training.loop import train
from wsol.training.optimizer import rate_factor
from wsol.training.run_folder import RunFolder
from wsol.training.training_state import TrainingState
from wsol.training.turns import Turn


def run(recipe, split, path):
    """Train; returns the folder and its log, a dictionary a line."""
    train(recipe, split, RunFolder(path), launch("cpu", recipe.training.precision))
    with (path / "log.csv").open() as file:
        return path, list(csv.DictReader(file))


def start(recipe, split):
    torch.manual_seed(recipe.seed)
    return build_localizer(recipe, len(split.class_keys), split.class_keys)


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def interrupt_after(monkeypatch, method_name, module=TrainingState):
    """The next call of ``module.method_name`` does its work and is then interrupted."""
    real = getattr(module, method_name)

    def cut(*arguments):
        real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, method_name, cut)


def epoch_seed(recipe, epoch):
    torch.manual_seed(recipe.seed * 1_000_003 + epoch * 1_009)


def test_plain_training_is_momentum_sgd_on_the_cross_entropy(recipe_of, tiny_split, tmp_path):
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


ADVERSARIAL = ("toy_methods:Adversarial", {"weight": 0.5, "critic_lr": 0.02})


def progress_of_whole_run(recipe, split, path):
    folder, log = run(recipe, split, path)
    return RunFolder(folder).progress(), log


def test_alternating_turns_are_the_hand_written_loop_bit_for_bit(recipe_of, tiny_split, tmp_path):
    recipe = recipe_of(*ADVERSARIAL)
    progress, log = progress_of_whole_run(recipe, tiny_split, tmp_path / "run")
    by_hand, margins = adversarial_by_hand(recipe, tiny_split)
    assert equal(progress["module"], by_hand)
    assert list(progress["optimizers"]) == ["critic", "localizer"]
    found = [float(row["critic_margin"]) for row in log]
    assert found == pytest.approx(margins, abs=2e-5)
    for row in log:
        parts = float(row["loss_critic"]) + float(row["loss_localizer"])
        assert float(row["loss"]) == pytest.approx(parts, abs=2e-5)
        assert float(row["train_top1_acc"]) % 5 == 0  # of 20 images


def test_the_critic_matters_so_that_the_comparison_can_fail(recipe_of, tiny_split, tmp_path):
    name, options = ADVERSARIAL
    first, _ = progress_of_whole_run(recipe_of(name, options), tiny_split, tmp_path / "one")
    second, _ = progress_of_whole_run(
        recipe_of(name, {**options, "critic_lr": 0.04}), tiny_split, tmp_path / "two"
    )
    keys = [key for key in first["module"] if key.startswith("localizer.backbone")]
    assert not all(torch.equal(first["module"][key], second["module"][key]) for key in keys)


@pytest.mark.parametrize("method", [("cam", {}), ADVERSARIAL])
def test_interrupted_and_resumed_equals_uninterrupted(
    method, recipe_of, tiny_split, tmp_path, monkeypatch
):
    recipe = recipe_of(*method, epochs=3)
    whole, whole_log = progress_of_whole_run(recipe, tiny_split, tmp_path / "whole")
    with monkeypatch.context() as patch:
        interrupt_after(patch, "finish_epoch")
        with pytest.raises(KeyboardInterrupt):
            run(recipe, tiny_split, tmp_path / "cut")
    assert RunFolder(tmp_path / "cut").progress()["epochs"] == 1
    resumed, log = progress_of_whole_run(recipe, tiny_split, tmp_path / "cut")
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
    recipe_of, tiny_split, tmp_path, monkeypatch
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


def test_a_resume_file_of_other_turns_is_refused(recipe_of, tiny_split, tmp_path):
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


def toy_class_means():
    import toy_methods

    toy_methods.ClassMeans.calls = 0
    return toy_methods.ClassMeans


def test_after_training_is_called_once_and_its_fit_is_what_is_saved(recipe_of, tiny_split, tmp_path):
    toy = toy_class_means()
    recipe = recipe_of("toy_methods:ClassMeans")
    folder, _ = run(recipe, tiny_split, tmp_path / "run")
    plain, _ = run(recipe_of(), tiny_split, tmp_path / "plain")
    assert toy.calls == 1
    found, trained = load_file(folder / "last.safetensors"), load_file(plain / "last.safetensors")
    differing = [key for key in trained if not torch.equal(found[key], trained[key])]
    assert differing == ["head.classifier.weight"]
    # By hand: images one by one, squashed to the input size, no crop and no flip.
    localizer = start(recipe, tiny_split)
    localizer.load_state_dict(trained)
    localizer.eval()
    images = np.stack([squashed(tiny_split, index) for index in range(len(tiny_split))])
    with torch.no_grad():
        features = localizer(torch.from_numpy(images)).features.mean(dim=(2, 3)).numpy()
    for label in range(10):
        mean = features[tiny_split.labels == label].mean(axis=0)
        np.testing.assert_allclose(found["head.classifier.weight"][label, :, 0, 0], mean, rtol=1e-4)


def squashed(split, index):
    """The clutter image (3, 32, 32), normalised; its files are of the input size already."""
    from PIL import Image

    with Image.open(split.manifest.root / split.paths[index]) as file:
        pixels = np.asarray(file.convert("RGB"), np.float32) / 255
    assert pixels.shape == (32, 32, 3)
    mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    return ((pixels - mean) / std).transpose(2, 0, 1)


@pytest.mark.parametrize(
    ("where", "calls"),
    [
        # All epochs are done, after_training is not.
        ("last epoch", 1),
        # It has run and is saved in resume.pth, but the weights are not written yet.
        ("progress saved", 1),
        # All is written but the mark of a finished run.
        ("weights saved", 1),
    ],
)
def test_after_training_runs_once_wherever_the_run_is_interrupted(
    where, calls, recipe_of, tiny_split, tmp_path, monkeypatch
):
    toy = toy_class_means()
    recipe = recipe_of("toy_methods:ClassMeans", selection="val_cls")
    whole, _ = run(recipe, tiny_split, tmp_path / "whole")
    toy.calls = 0
    cut = tmp_path / "cut"
    with monkeypatch.context() as patch:
        if where == "last epoch":
            patch.setattr(TrainingState, "finish_training", raises_interrupt)
        elif where == "progress saved":
            real = RunFolder.save_weights

            def not_after_the_fit(self, module, selection):
                if toy.calls:
                    raise KeyboardInterrupt
                real(self, module, selection)

            patch.setattr(RunFolder, "save_weights", not_after_the_fit)
        else:
            interrupt_after(patch, "finish_training")
        with pytest.raises(KeyboardInterrupt):
            run(recipe, tiny_split, cut)
    run(recipe, tiny_split, cut)
    assert toy.calls == calls
    for name in ("last.safetensors", "best_val_cls.safetensors"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()


def raises_interrupt(*arguments):
    raise KeyboardInterrupt


def test_a_localizer_with_a_buffer_of_the_methods_own_opens_again(recipe_of, tiny_split, tmp_path):
    recipe = recipe_of("toy_methods:WithBuffer", epochs=1, images_per_class=1)
    folder, _ = run(recipe, tiny_split, tmp_path)
    opened = trained_localizer(recipe, tiny_split.class_keys)
    RunFolder(folder).load_weights(opened, "last")
    # One image of each of ten classes.
    assert float(opened.get_buffer("share")) == pytest.approx(0.1)


def test_without_epochs_nothing_can_be_fitted(recipe_of, tiny_split, tmp_path, monkeypatch):
    recipe = recipe_of("toy_methods:ClassMeans", epochs=0)

    def as_if_weights_filled_it(*arguments, **options):
        localizer = build_localizer(*arguments, **options)
        localizer.as_drawn = []
        return localizer

    monkeypatch.setattr(loop, "build_localizer", as_if_weights_filled_it)
    with pytest.raises(UserError, match=r"training\.epochs is 0, but method .*ClassMeans fits"):
        run(recipe, tiny_split, tmp_path / "run")
    assert not (tmp_path / "run").exists()


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
    turns, message, recipe_of, tiny_split, tmp_path
):
    recipe = recipe_of("toy_methods:StepsIn", {"turns": turns})
    with pytest.raises(UserError, match=message) as caught:
        run(recipe, tiny_split, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_logged_name_that_is_taken_is_refused(recipe_of, tiny_split, tmp_path):
    with pytest.raises(UserError, match=r"StepOutput\.log names 'val_cls', a column of"):
        run(recipe_of("toy_methods:Writes"), tiny_split, tmp_path)


def test_a_loss_that_is_not_finite_is_named(recipe_of, tiny_split, tmp_path):
    with pytest.raises(UserError, match=r"the loss is (nan|inf) in epoch \d: lower training\.lr"):
        run(recipe_of(lr=1e30), tiny_split, tmp_path)


def test_weights_that_only_the_last_step_spoils_end_the_run(
    recipe_of, tiny_split, tmp_path, monkeypatch
):
    """The loss is computed before the step: it is finite, and there is no epoch after that shows it."""
    recipe = recipe_of(epochs=2)
    take, steps = Turn.take, []

    def spoiled(self, pixels, labels):
        output = take(self, pixels, labels)
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
