"""What all methods of torchcam have in common: an extractor that hangs on layers while maps are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from wsol.attention.warps import pulled_back
from wsol.errors import UserError
from wsol.maps.contract import Columns, ModelMaps
from wsol.maps.torchcam.read_features import read_features
from wsol.models.localizer import Localizer, LocalizerOutput


class Extracted(ModelMaps):
    """Maps of a method of torchcam, as the method made them: torchcam's own min-max is never asked for.

    It divides by the maximum plus 1e-8, which moves thresholds.
    """

    of_class = "true"
    own_pass = True

    def extractor(self, methods: Any, localizer: Localizer, features: nn.Module) -> Any:
        """The extractor, its hooks on; ``methods`` is ``torchcam.methods``.

        ``features`` is the module that gives those before the head.
        """
        raise TypeError(f"{type(self).__name__} has no extractor")

    @contextmanager
    def ready(self, localizer: Localizer) -> Iterator[None]:
        """Hooks on, and off again whatever happens."""
        # Imported here: it imports torchvision, and most runs do without it.
        from torchcam import methods

        with (
            read_features(localizer, self.name) as features,
            self.extractor(methods, localizer, features) as extractor,
        ):
            self._extractor = extractor
            yield

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w) of each image's class."""
        classes = self.one_class_each(columns)
        maps = self._extractor(classes, output.logits, normalized=False)[0]
        return pulled_back(maps, output.window)

    def one_class_each(self, columns: Columns) -> list[int]:
        """The logit of each image's class; ``UserError`` where several stand for it."""
        if any(len(own) > 1 for own in columns):
            raise UserError(f"{self.name} reads one class an image; evaluation.classes has several")
        return [own[0] for own in columns]
