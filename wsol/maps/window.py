"""The box of the window that a spatial transformer looks at: a localization without any threshold."""

from __future__ import annotations

from torch import Tensor

from wsol.attention.warps import boxes_of
from wsol.errors import UserError
from wsol.maps.contract import Columns, ModelMaps
from wsol.models.localizer import LocalizerOutput


class Window(ModelMaps):
    """The box of the window that a spatial transformer looks at: no class, no threshold."""

    title = "window"
    gives_boxes = True

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Boxes (N, 4) in shares of the image's sides; ``UserError`` where nothing is warped."""
        if output.window is None:
            raise UserError("--maps window: this network looks at no window: take --attention stn")
        return boxes_of(output.window)
