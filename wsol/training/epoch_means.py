"""Means over the images of an epoch, of what the method's turns give for each batch."""

from __future__ import annotations

import torch
from torch import Tensor

from wsol.errors import UserError
from wsol.methods.contract import StepOutput

# Columns of log.csv that are the loop's own.
OWN_COLUMNS = ("epoch", "loss", "train_top1_acc", "images_per_second", "seconds", "val_cls", "val_loc")


class EpochMeans:
    """The losses, the accuracy and the logged scalars of an epoch, a name each.

    Sums stay on the device: reading a number at every step would make a GPU wait.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sums: dict[str, Tensor] = {}
        self._images: dict[str, int] = {}

    def add(self, turn: str, output: StepOutput, labels: Tensor) -> None:
        """Count one turn's output for a batch with ``labels`` (N,).

        ``UserError`` for a logged name that is a column of the loop's own.
        """
        images = len(labels)
        self._add(f"loss_{turn}", output.loss.detach() * images, images)
        if output.logits is not None:
            correct = (output.logits.detach().argmax(1) == labels).sum()
            self._add("train_top1_acc", correct, images)
        for name, value in output.log.items():
            if name in OWN_COLUMNS or name.startswith("loss_"):
                raise UserError(f"StepOutput.log names {name!r}, a column of log.csv: take another name")
            value = value.detach() if isinstance(value, Tensor) else value
            self._add(name, value * images, images)

    def _add(self, name: str, total: Tensor | float, images: int) -> None:
        if name not in self._sums:
            self._sums[name] = torch.zeros((), device=self._device)
            self._images[name] = 0
        self._sums[name] += total
        self._images[name] += images

    def means(self) -> dict[str, float]:
        """Each name's mean over the images that it was given for; the accuracy in percent."""
        factors = {"train_top1_acc": 100}
        return {
            name: factors.get(name, 1) * float(total) / self._images[name]
            for name, total in self._sums.items()
        }
