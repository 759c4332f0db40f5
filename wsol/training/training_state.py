"""The state of a training run: its epochs and the checkpoint after each; on a CPU resuming is exact."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.data import DataLoader

from wsol.data.loading.loader import Batch, Loader, train_loader
from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.methods.contract import TrainingMethod
from wsol.models.localizer import Localizer
from wsol.progress import note_saved, say, track
from wsol.recipe import Recipe
from wsol.training.epoch_means import EpochMeans
from wsol.training.images_at_test import ImagesAtTest
from wsol.training.kept_features import KeptFeatures
from wsol.training.optimizer import rate_factor, set_rates
from wsol.training.run_folder import RunFolder
from wsol.training.run_weights import check_finite
from wsol.training.turns import load_optimizer_states, optimizer_states, prepare_turns
from wsol.training.validation import validate

# What a method fits after training is written to disk at most so often.
SECONDS_BETWEEN = 20.0


@dataclass(frozen=True)
class EpochResult:
    """What one epoch gave on this rank.

    Attributes:
        loss: the sum of the turns' losses.
        means: over the images: ``loss_<turn>``, ``train_top1_acc`` where a turn classifies, and what the
            method logs.
        images, seconds: how many images took how long.
    """

    loss: float
    means: dict[str, float]
    images: int
    seconds: float


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
        self.turns = prepare_turns(method, recipe.training, fabric)
        self.epochs = 0
        self.log: list[dict[str, Any]] = []
        self.best: dict[str, float] = {}
        # Whether the method's after_training has run.
        self.fitted = False
        # Features of a frozen network, which the method is given in place of images.
        self.kept: KeptFeatures | None = None
        self._saved_at = time.monotonic()

    def start(self) -> int:
        """The epoch to begin with: 0, or where an interrupted run stopped."""
        progress = self.folder.progress()
        if progress is None:
            self._note_saved()
            return 0
        try:
            if progress["epochs"] > self.recipe.training.epochs:
                raise ValueError(f"it holds {progress['epochs']} epochs")
            self.method.load_state_dict(progress["module"])
            load_optimizer_states(self.turns, progress)
            self.fabric.strategy.precision.load_state_dict(progress["precision"])
        except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise UserError(
                f"{self.folder.path / 'resume.pth'}: does not fit this method ({reason}); "
                "delete it and the run begins anew"
            ) from error
        self.epochs, self.log, self.best = progress["epochs"], progress["log"], progress["best"]
        self.fitted = progress.get("fitted", False)
        say(f"resuming after epoch {self.epochs} of {self.recipe.training.epochs}")
        self._note_saved()
        return self.epochs

    def run_epoch(self, epoch: int) -> EpochResult:
        """One pass over the training images: for each batch the method's turns, one after another."""
        recipe = self.recipe
        self._seed(epoch)
        loader = self._batches(epoch)
        if not len(loader):
            raise UserError(f"{self.split.manifest.folder}: fewer training images than processes")
        for turn in self.turns:
            turn.module.train()
        means, images = EpochMeans(self.fabric.device), 0
        started = time.monotonic()
        label = f"epoch {epoch + 1}/{recipe.training.epochs}"
        with nullcontext() if self.kept is None else self.method.localizer.features_given():
            for step, batch in enumerate(track(loader, len(loader), label)):
                pixels, labels = self._on_device(batch)
                factor = rate_factor(recipe.training, epoch + step / len(loader))
                for turn in self.turns:
                    set_rates(turn.optimizer, factor)
                    means.add(turn.name, turn.take(pixels, labels, batch.boxes), labels)
                images += len(labels)
        found = means.means()
        seconds = time.monotonic() - started
        loss = sum(found[f"loss_{turn.name}"] for turn in self.turns)
        if not torch.isfinite(torch.tensor(loss)):
            raise UserError(f"the loss is {loss} in epoch {epoch + 1}: lower training.lr")
        # The last step may have spoiled what the loss before it did not show.
        check_finite(self.method.trained().state_dict(), f"{self.folder.path}, epoch {epoch + 1}")
        return EpochResult(loss, found, images, seconds)

    def _batches(self, epoch: int) -> Loader | DataLoader[Batch]:
        place = {"rank": self.fabric.global_rank, "world_size": self.fabric.world_size}
        if self.kept is not None:
            return self.kept.train_loader(epoch=epoch, **place)
        boxes = self.method.needs_boxes
        return train_loader(self.split, self.recipe, epoch=epoch, boxes=boxes, **place)

    def _seed(self, epoch: int) -> None:
        """Dropout and the like draw from here: none depends on what was drawn before an interruption."""
        rank = self.fabric.global_rank
        torch.manual_seed(self.recipe.seed * 1_000_003 + epoch * 1_009 + rank)

    def _on_device(self, batch: Batch) -> tuple[Tensor, Tensor]:
        images = batch.images.to(self.fabric.device, non_blocking=True)
        if self.recipe.training.channels_last and images.dim() == 4:
            images = images.contiguous(memory_format=torch.channels_last)
        return images, batch.labels.to(self.fabric.device, non_blocking=True)

    def finish_epoch(self, epoch: int, result: EpochResult) -> None:
        """Validate where the selection needs it, write log, weights and progress."""
        self.epochs = epoch + 1
        row = self._row(result)
        selection = self.recipe.training.selection
        last = self.epochs == self.recipe.training.epochs
        if selection != "last" or (last and "val" in self.split.manifest.splits):
            row |= validate(self.method.trained(), self.split.manifest, self.recipe)
        if selection != "last" and selection not in row:
            raise UserError(f"training.selection is {selection}, but val has no boxes: use val_cls")
        improved = selection != "last" and row[selection] > self.best.get(selection, -1.0)
        if improved:
            self.best[selection] = row[selection]
        self.log.append(row)
        if self.fabric.is_global_zero:
            if improved:
                self.folder.save_weights(self.method.trained(), selection)
            self.folder.save_weights(self.method.trained(), "last")
            self.folder.write_log(self.log)
            self._save_progress()
        self.fabric.barrier()
        say(" ".join(f"{key} {value}" for key, value in row.items()))

    def _row(self, result: EpochResult) -> dict[str, Any]:
        """The epoch's line of log.csv; with a single turn ``loss_<turn>`` is left out."""
        means = dict(result.means)
        accuracy = means.pop("train_top1_acc", None)
        if len(self.turns) == 1:
            means.pop(f"loss_{self.turns[0].name}")
        return {
            "epoch": self.epochs,
            "loss": round(result.loss, 5),
            "train_top1_acc": "" if accuracy is None else round(accuracy, 2),
            "images_per_second": round(result.images / result.seconds, 1),
            "seconds": round(result.seconds, 2),
            **{name: round(mean, 5) for name, mean in means.items()},
        }

    def finish_training(self) -> Localizer:
        """The localizer as it is scored, fitted where the method fits something after training."""
        selection = self.recipe.training.selection
        if not self.method.fits_after_training:
            self.folder.load_weights(self.method.trained(), selection)
            return self.method.trained()
        if not self.fitted:
            self.folder.load_weights(self.method.trained(), selection)
            self._seed(self.epochs)
            self.method.eval()
            self.method.keep_progress = self._keep_fitting
            self.method.after_training(ImagesAtTest(self.split, self.recipe, self.fabric.device))
            self.fitted = True
            if self.fabric.is_global_zero:
                self._save_progress()
        # Written after the progress, which so holds the fitted state: a run that is interrupted between
        # the two writes the weights from there and does not fit twice.
        if self.fabric.is_global_zero:
            self.folder.save_weights(self.method.trained(), selection)
        self.fabric.barrier()
        return self.method.trained()

    def _keep_fitting(self) -> None:
        """Between two parts of ``after_training``: the state of the method, where it is time."""
        if self.fabric.is_global_zero and time.monotonic() - self._saved_at >= SECONDS_BETWEEN:
            self._save_progress()

    def _note_saved(self) -> None:
        """For the line that a stopped command ends with."""
        saved = "no epoch is saved yet; the same command begins anew"
        if self.epochs:
            total = self.recipe.training.epochs
            saved = f"epoch {self.epochs} of {total} is saved; the same command goes on from there"
        note_saved(f"{self.folder.path}: {saved}")

    def _save_progress(self) -> None:
        self._saved_at = time.monotonic()
        self.folder.save_progress(
            {
                "epochs": self.epochs,
                "log": self.log,
                "best": self.best,
                "fitted": self.fitted,
                # The method's whole state: the weights that are scored leave out branches and critics.
                "module": self.method.state_dict(),
                # Under 16-mixed the scale of the loss changes as training goes on.
                "precision": self.fabric.strategy.precision.state_dict(),
                "optimizers": optimizer_states(self.turns),
            }
        )
        self._note_saved()
