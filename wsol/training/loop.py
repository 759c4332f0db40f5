"""The training loop: epochs of steps, a checkpoint after each, bit for bit resumable on a CPU."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric

from wsol.data.loading.loader import train_loader
from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.maps.reading import check_sources
from wsol.methods import METHODS
from wsol.methods.contract import TrainingMethod
from wsol.models.cost import cost
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.progress import say, track
from wsol.recipe import Recipe
from wsol.training.optimizer import build_optimizer, rate_factor, set_rates
from wsol.training.run_folder import SELECTIONS, RunFolder
from wsol.training.validation import validate


@dataclass
class EpochResult:
    """Means over the images of one epoch on this rank."""

    loss: float
    top1_acc: float
    images: int
    seconds: float


def train(
    recipe: Recipe, split: ManifestSplit, folder: RunFolder, fabric: Fabric
) -> tuple[Localizer, list[dict[str, Any]]]:
    """Train ``recipe`` on the images of ``split``: the localizer as it is scored, and the log.

    A run that was interrupted goes on after its last finished epoch, with the result it would have
    had. ``epochs: 0`` keeps the weights as they were loaded.
    """
    if recipe.training.selection not in SELECTIONS:
        raise UserError(f"training.selection is {recipe.training.selection!r}: {', '.join(SELECTIONS)}")
    torch.manual_seed(recipe.seed)
    localizer = build_localizer(recipe, len(split.class_keys), split.class_keys)
    method = METHODS.get(recipe.method.name)(localizer, **_method_options(recipe))
    # What is read and measured of the trained network is tried now, not after the last epoch.
    check_sources(method.trained(), recipe.evaluation.maps)
    cost(method.trained(), recipe.data.input_size)
    if recipe.training.channels_last:
        method.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if not recipe.training.epochs:
        return _as_they_are(recipe, folder, fabric, method), []
    # Declared idle, they would hold up the processes of a distributed run, and under AdamW drift: where
    # their gradients cancel, rounding leaves some.
    for name in localizer.parameters_without_gradient():
        localizer.get_parameter(name).requires_grad_(False)
    progress = TrainingState(recipe, split, folder, fabric, method)
    rate_factor(recipe.training, 0)  # an unknown schedule is refused before anything is written
    if fabric.is_global_zero:
        recipe.write(folder.path / "recipe.yaml")
    for epoch in range(progress.start(), recipe.training.epochs):
        result = progress.run_epoch(epoch)
        progress.finish_epoch(epoch, result)
    folder.load_weights(method.trained(), recipe.training.selection)
    return method.trained(), progress.log


class TrainingState:
    """The state of one training run between epochs."""

    def __init__(
        self,
        recipe: Recipe,
        split: ManifestSplit,
        folder: RunFolder,
        fabric: Fabric,
        method: TrainingMethod,
    ) -> None:
        self.recipe, self.split, self.folder, self.fabric = recipe, split, folder, fabric
        self.method = method
        self.optimizer = build_optimizer(
            method.parameter_groups(recipe.training.head_from), recipe.training
        )
        self.module, self.wrapped = fabric.setup(method, self.optimizer)
        self.log: list[dict[str, Any]] = []
        self.best: dict[str, float] = {}

    def start(self) -> int:
        """The epoch to begin with: 0, or where an interrupted run stopped."""
        progress = self.folder.progress()
        if progress is None:
            return 0
        self.method.load_state_dict(progress["module"])
        self.optimizer.load_state_dict(progress["optimizer"])
        self.fabric.strategy.precision.load_state_dict(progress["precision"])
        self.log, self.best = progress["log"], progress["best"]
        say(f"resuming after epoch {progress['epochs']} of {self.recipe.training.epochs}")
        return progress["epochs"]

    def run_epoch(self, epoch: int) -> EpochResult:
        """One pass over the training images."""
        recipe, fabric = self.recipe, self.fabric
        # Dropout and the like draw from here: each epoch has its own seed, so that none depends on
        # what was drawn before an interruption.
        torch.manual_seed(recipe.seed * 1_000_003 + epoch * 1_009 + fabric.global_rank)
        loader = train_loader(
            self.split,
            recipe,
            epoch=epoch,
            rank=fabric.global_rank,
            world_size=fabric.world_size,
        )
        if not len(loader):
            raise UserError(f"{self.split.manifest.folder}: fewer training images than processes")
        self.module.train()
        loss_sum = torch.zeros((), device=fabric.device)
        correct = torch.zeros((), device=fabric.device)
        images = 0
        started = time.monotonic()
        label = f"epoch {epoch + 1}/{recipe.training.epochs}"
        for step, batch in enumerate(track(loader, len(loader), label)):
            set_rates(self.optimizer, rate_factor(recipe.training, epoch + step / len(loader)))
            labels = batch.labels.to(fabric.device, non_blocking=True)
            output = self._step(batch, labels)
            # Summed where the network runs: asking for a number every step would hold a GPU up.
            loss_sum += output.loss.detach() * len(labels)
            correct += (output.logits.detach().argmax(1) == labels).sum()
            images += len(batch.labels)
        seconds = time.monotonic() - started
        loss = float(loss_sum) / images
        if not torch.isfinite(torch.tensor(loss)):
            raise UserError(f"the loss is {loss} in epoch {epoch + 1}: lower training.lr")
        return EpochResult(loss, 100 * float(correct) / images, images, seconds)

    def _step(self, batch: Any, labels: torch.Tensor) -> Any:
        images = batch.images.to(self.fabric.device, non_blocking=True)
        if self.recipe.training.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        output = self.module(images, labels)
        self.wrapped.zero_grad()
        self.fabric.backward(output.loss)
        self.wrapped.step()
        return output

    def finish_epoch(self, epoch: int, result: EpochResult) -> None:
        """Validate where the selection needs it, write log, weights and progress."""
        row: dict[str, Any] = {
            "epoch": epoch + 1,
            "loss": round(result.loss, 5),
            "train_top1_acc": round(result.top1_acc, 2),
            "images_per_second": round(result.images / result.seconds, 1),
            "seconds": round(result.seconds, 2),
        }
        selection = self.recipe.training.selection
        last = epoch + 1 == self.recipe.training.epochs
        if selection != "last" or (last and "val" in self.split.manifest.splits):
            row |= validate(self.method.trained(), self.split.manifest, self.recipe)
        if selection != "last" and selection not in row:
            raise UserError(f"training.selection is {selection}, but val has no boxes: use val_cls")
        improved = selection != "last" and row[selection] > self.best.get(selection, -1.0)
        if improved:
            self.best[selection] = row[selection]
        self.log.append(row)
        if self.fabric.is_global_zero:
            self._write(epoch, improved)
        self.fabric.barrier()
        say(" ".join(f"{key} {value}" for key, value in row.items()))

    def _write(self, epoch: int, improved: bool) -> None:
        selection = self.recipe.training.selection
        if improved:
            self.folder.save_weights(self.method.trained(), selection)
        self.folder.save_weights(self.method.trained(), "last")
        self.folder.write_log(self.log)
        # The method's whole state: the weights that are scored leave out its branches and critics.
        module = self.method.state_dict()
        state = {"epochs": epoch + 1, "log": self.log, "best": self.best, "module": module}
        # Under 16-mixed the loss's scale is part of where training stands.
        state["precision"] = self.fabric.strategy.precision.state_dict()
        self.folder.save_progress({**state, "optimizer": self.optimizer.state_dict()})


def _as_they_are(recipe: Recipe, folder: RunFolder, fabric: Fabric, method: TrainingMethod) -> Localizer:
    """The localizer with the weights it was given, written as a trained one would be."""
    drawn = method.localizer.as_drawn
    if drawn:
        raise UserError(
            f"training.epochs is 0, but no weights fill {len(drawn)} parameters, e.g. {drawn[-1]}: use "
            "head.name native and weights of this very network and its classes, or train it"
        )
    if fabric.is_global_zero:
        recipe.write(folder.path / "recipe.yaml")
        folder.save_weights(method.trained(), "last")
    return method.trained()


def _method_options(recipe: Recipe) -> dict[str, Any]:
    options = dict(recipe.method.options)
    if recipe.training.label_smoothing:
        options.setdefault("label_smoothing", recipe.training.label_smoothing)
    return options
