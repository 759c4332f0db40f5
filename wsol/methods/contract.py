"""What a training method is: it owns the localizer and whatever else training needs.

A method subclasses `TrainingMethod` and writes ``step``: a batch in, its loss out. For each batch the
training loop takes the method's turns one after another, each with a forward pass, a backward pass and
an optimizer step of its own. Most methods have one turn; one with critics or branches that are trained
against each other returns several from ``configure_optimizers``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from wsol.errors import UserError
from wsol.models.localizer import Localizer
from wsol.recipe import TrainingSettings

# Batches of images (N, 3, H, W), normalised, and labels (N,), on the method's device.
ImageBatches = Iterable[tuple[Tensor, Tensor]]


class StepOutput(NamedTuple):
    """What a step makes of one batch.

    Attributes:
        loss: scalar.
        logits: (N, K) for the training accuracy; None in a turn that does not classify.
        log: further scalars by name; their means over the epoch's images are columns of log.csv.
    """

    loss: Tensor
    logits: Tensor | None = None
    log: Mapping[str, Tensor | float] = MappingProxyType({})


@dataclass(frozen=True)
class OptimizerTurn:
    """One turn of a batch: what it is called and what it trains.

    Attributes:
        name: handed to ``step``; the turn's loss stands in log.csv as ``loss_<name>`` where there are
            several turns.
        trains: parameters by part, for the recipe's optimizer (``backbone`` and ``attention`` train at
            their own rates, any other part at ``training.head_lr``); or an optimizer of the method's own
            over them. The recipe's learning-rate schedule applies to both.
    """

    name: str
    trains: Mapping[str, Sequence[nn.Parameter]] | torch.optim.Optimizer


class TrainingMethod(nn.Module):
    """A localizer in training. Branches, critics and erasers are submodules of the method.

    After training the localizer is scored; a method whose maps come from its own branches gives
    a localizer that shows them in ``trained``.

    Args:
        localizer: what is trained. All further arguments of a subclass are its options, such as
            ``--method.options.weight 0.1``; pass ``label_smoothing`` on where a loss classifies.
        label_smoothing: of ``classification``, the cross-entropy of logits (N, K) and labels (N,).

    Attributes:
        from_features: whether a step leaves the images as they are and asks the network for nothing but
            its last features. Those of a frozen network can then be computed once
            (``training.cache_features``), and a step is given them in place of images.
        needs_boxes: whether a step is also given each image's boxes, of ``training.boxed_images`` images
            a class of val, which are trained on in place of train. Its rows are bounds, never ranked.
        keep_progress: for a long ``after_training`` to call between its parts: writes the method's state
            to disk now and then. Its own progress goes there by ``get_extra_state``.
    """

    from_features: ClassVar[bool] = False
    needs_boxes: ClassVar[bool] = False

    def __init__(self, localizer: Localizer, label_smoothing: float = 0.0) -> None:
        super().__init__()
        if not 0 <= label_smoothing <= 1:
            raise UserError(f"label_smoothing is {label_smoothing}: must be from 0 to 1")
        self.localizer = localizer
        self.classification = nn.CrossEntropyLoss(label_smoothing=label_smoothing)
        self.keep_progress: Callable[[], None] = lambda: None

    def parameter_groups(self, head_from: str = "") -> dict[str, list[nn.Parameter]]:
        """Parameters by part: ``backbone`` up to ``head_from``, ``attention``, ``head``; each once."""
        return self.localizer.parameter_groups(head_from)

    def configure_optimizers(self, training: TrainingSettings) -> Sequence[OptimizerTurn]:
        """The turns of each batch, in their order; one turn over ``parameter_groups`` by default.

        In its turn only the parameters that a turn trains require gradients: what else the step uses is
        frozen for that long, and costs no backward pass. Batch norms and dropout of frozen parts still
        behave as in training. Under DDP each parameter of a turn must get a gradient in it.
        """
        return [OptimizerTurn("main", self.parameter_groups(training.head_from))]

    def step(self, images: Tensor, labels: Tensor, turn: str) -> StepOutput:
        """Images (N, 3, H, W) and labels (N,) to the loss of the turn called ``turn``."""
        raise UserError(f"method {type(self).__name__} has no step(images, labels, turn): write one")

    def forward(
        self, images: Tensor, labels: Tensor, turn: str = "main", boxes: Sequence[Tensor] | None = None
    ) -> StepOutput:
        """The step. Under DDP gradients are only synchronised for what runs in ``forward``."""
        said = {} if boxes is None else {"boxes": boxes}
        return self.step(images, labels, turn, **said)

    def after_training(self, loader: ImageBatches) -> None:
        """Fit what is fitted once training has ended, such as thresholds, prototypes or a linear SVM.

        Called once, in evaluation mode, with the checkpoint of ``training.selection`` in the localizer
        and before the final weights are written, which hold what was fitted where it is a parameter or
        buffer of ``trained()``. Every process calls it and must come to the same result. A run that was
        interrupted here calls it again, with the state that was kept last (``keep_progress``).

        Args:
            loader: all training images as at test (no crop, no flip), in the manifest's order; it can be
                iterated several times.
        """

    @property
    def fits_after_training(self) -> bool:
        """Whether the class has an ``after_training`` of its own."""
        return type(self).after_training is not TrainingMethod.after_training

    def trained(self) -> Localizer:
        """The localizer that is saved and scored. It shares the method's own modules, no copies.

        A run that is opened again builds the method anew, asks it for this and loads the weights.
        """
        return self.localizer
