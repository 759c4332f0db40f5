"""Maps of an image at several sizes, averaged."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from wsol.errors import UserError
from wsol.maps.contract import Columns, MapSource, ModelMaps
from wsol.maps.modifiers.modifier import MapModifier
from wsol.maps.other_sides import refuse_unread_side
from wsol.models.localizer import Localizer, LocalizerOutput


class Scales(MapModifier):
    """The mean of the maps at several input sides, as in cam+scales:0.75,1,1.5; a pass for each.

    Images are resized bilinearly, with antialiasing where they shrink; maps bilinearly to the largest of
    their grids, where nothing of any is lost.

    Raw maps are averaged, not normalised ones: min-max would make a scale at which the class is hardly
    seen, and all of whose map is noise, count as much as one where it is sure. Raw maps of two sizes are
    in one unit where they are scores of places, as class maps are. Those that share one score out over
    their cells (``per_cells``: gradients) are multiplied by their number of cells first, relative to
    that of the largest grid.
    """

    takes_argument = True

    def __init__(self, source: MapSource, modifier: str, argument: str = "") -> None:
        self.scales = _scales(modifier, argument)
        text = ",".join(f"{scale:g}" for scale in self.scales)  # one name, however they were typed
        super().__init__(source, f"{modifier.partition(':')[0]}:{text}", text)

    def resolved(self, localizer: Localizer) -> ModelMaps:
        """With the source under its full name; ``UserError`` where the network does not read images of
        one of the sizes, before anything is computed.
        """
        own = localizer.input_size
        for scale in self.scales:
            refuse_unread_side(localizer, _side(own, scale), self.name, f"{scale:g} x {own}")
        return super().resolved(localizer)

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w), as fine as those of the largest scale."""
        height, width = self._images.shape[2:]
        found = []
        # The plain images first: what the source has of their pass, the next one overwrites.
        for scale in sorted(self.scales, key=lambda scale: scale != 1):
            size = (_side(height, scale), _side(width, scale))
            if size == (height, width):
                found.append(self.source.read(output, columns))
            else:
                found.append(self.of_copies(_resized(self._images, size), columns))
        return mean_on_one_grid(found, per_cells=self.per_cells)


def mean_on_one_grid(several: Sequence[Tensor], *, per_cells: int = 0) -> Tensor:
    """The mean of maps (N, h, w) of several sizes, on the largest grid."""
    size = max((tuple(maps.shape[1:]) for maps in several), key=math.prod)
    total = torch.zeros_like(several[0][:, :1, :1])
    for maps in several:
        unit = (math.prod(maps.shape[1:]) / math.prod(size)) ** per_cells
        on_grid = _resized(maps[:, None], size)[:, 0] if maps.shape[1:] != size else maps
        total = total + unit * on_grid
    return total / len(several)


def _resized(images: Tensor, size: tuple[int, ...]) -> Tensor:
    return F.interpolate(images, list(size), mode="bilinear", align_corners=False, antialias=True)


def _side(side: int, scale: float) -> int:
    return max(1, round(side * scale))


def _scales(modifier: str, argument: str) -> list[float]:
    """The scales, in rising order; ``UserError`` where they are no different numbers above 0."""
    try:
        scales = sorted(float(text) for text in argument.split(","))
    except ValueError:
        scales = []
    if not scales or len(set(scales)) < len(scales) or not all(0 < scale < math.inf for scale in scales):
        raise UserError(
            f"map modifier {modifier!r}: say the scales, different numbers above 0, as in "
            "cam+scales:0.75,1,1.5"
        )
    return scales
