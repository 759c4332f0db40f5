"""Maps of an image and of its mirror image, averaged."""

from __future__ import annotations

from torch import Tensor

from wsol.maps.contract import Columns
from wsol.maps.modifiers.modifier import MapModifier
from wsol.models.localizer import LocalizerOutput


class Flip(MapModifier):
    """The mean of the map and of the mirrored image's, mirrored back; twice the passes."""

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w), raw: both are of one size, hence in one unit."""
        maps = self.source.read(output, columns)
        return (maps + self.of_copies(self._images.flip(-1), columns).flip(-1)) / 2
