"""The maps that an attention module shows of itself."""

from __future__ import annotations

from torch import Tensor

from wsol.attention.contract import channel_mean
from wsol.errors import UserError, suggest
from wsol.maps.contract import Columns, ModelMaps
from wsol.models.localizer import Localizer, LocalizerOutput


class AttentionMap(ModelMaps):
    """The attention module's default map, or one of its maps by name, as in attention:tdam.top."""

    takes_argument = True

    def __init__(self, name: str, argument: str = "") -> None:
        super().__init__(name, argument)
        self.named_by_network = not argument
        # What sums to 1 over an image's cells, by the name that modules here give it.
        self.per_cells = 1 if argument.endswith("softmax") else 0

    def resolved(self, localizer: Localizer) -> AttentionMap:
        """``attention`` as ``attention:<the module's default map>``."""
        if self.argument:
            return self
        name = localizer.default_map
        if not name:
            raise UserError("--maps attention: this model has no attention map of its own")
        return AttentionMap(f"attention:{name}", name)

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """The map of that name, (N, h, w), its channels averaged."""
        if self.argument not in output.attention:
            have = suggest(self.argument, output.attention)
            none = ": this model has none"
            raise UserError(
                f"unknown attention map {self.argument!r}{have if output.attention else none}"
            )
        return channel_mean(output.attention[self.argument])
