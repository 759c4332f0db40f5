"""Post-hoc class maps through torchcam, on the network as trained, without changing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from wsol.errors import UserError, suggest
from wsol.models.localizer import Localizer, LocalizerOutput

# One forward and one backward pass an image. ScoreCAM and its kin run hundreds of forward passes on
# masked inputs of their own; they do not fit one pass over a loader.
METHODS = ("GradCAM", "GradCAMpp", "LayerCAM", "XGradCAM")


class PostHoc:
    """The reader of one method's maps: torchcam hooks the last features while the context is open."""

    def __init__(self, method: str, localizer: Localizer) -> None:
        if method not in METHODS:
            raise UserError(f"unknown torchcam method {method!r}{suggest(method, METHODS)}")
        self.method, self.localizer = method, localizer

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """Hooks on, and off again whatever happens."""
        # Imported here: it imports torchvision, and most runs do without it.
        from torchcam import methods

        with getattr(methods, self.method)(self.localizer, self._last_features()) as extractor:
            self.extractor = extractor
            yield

    def __call__(self, output: LocalizerOutput, columns: Sequence[Sequence[int]]) -> Tensor:
        """Maps (N, h, w) of each image's class, as the method made them, not normalised."""
        if any(len(own) > 1 for own in columns):
            raise UserError(
                f"torchcam:{self.method} reads one class an image; evaluation.classes has several"
            )
        # torchcam's own normalisation divides by the maximum plus 1e-8, which moves thresholds.
        return self.extractor([own[0] for own in columns], output.logits, normalized=False)[0]

    def _last_features(self) -> nn.Module:
        """The module whose output goes into the head."""
        last = self.localizer.backbone.last_maps
        attended = self.localizer.stage_attention
        return attended[last] if last in attended else self.localizer.backbone.stages[last]
