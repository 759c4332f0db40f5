"""What a training method is: it owns the localizer and whatever else training needs."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from wsol.models.localizer import Localizer


class StepOutput(NamedTuple):
    """One batch's loss (scalar), and logits (N, K) for the accuracy."""

    loss: Tensor
    logits: Tensor


class TrainingMethod(nn.Module):
    """A localizer in training. Branches, critics and erasers are submodules of the method.

    ``forward`` is the step: under DDP gradients are only synchronised for what runs in ``forward``.
    After training the localizer is scored; a method whose maps come from its own branches gives
    a localizer that shows them in ``trained``.
    """

    def __init__(self, localizer: Localizer, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.localizer = localizer
        self.classification = nn.CrossEntropyLoss(label_smoothing=label_smoothing)

    def parameter_groups(self, head_from: str = "") -> dict[str, list[nn.Parameter]]:
        """Parameters by part: ``backbone`` up to ``head_from``, ``attention``, ``head``; each once."""
        return self.localizer.parameter_groups(head_from)

    def forward(self, images: Tensor, labels: Tensor) -> StepOutput:
        """Images (N, 3, H, W) and labels (N,) to the loss of the step."""
        raise TypeError(f"{type(self).__name__} has no training step")

    def trained(self) -> Localizer:
        """The localizer that is saved and scored."""
        return self.localizer
