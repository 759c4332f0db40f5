"""Where the class token looks: its attention to the patches (Caron et al., ICCV 2021, arXiv 2104.14294).

DINO shows the last block's heads one by one; the mean over heads, one map an image, is our reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from wsol.attention.warps import pulled_back
from wsol.errors import UserError
from wsol.maps.contract import Columns, ModelMaps
from wsol.maps.tokens.attention_weights import weights_kept
from wsol.maps.tokens.token_needs import check_class_token, check_plain, on_grid
from wsol.models.localizer import Localizer, LocalizerOutput


class ClassTokenAttention(ModelMaps):
    """Class token's attention to the patches, last block; class_token:0 is of the first, class-agnostic.

    Defined where the head reads the class token (``head.name`` class_token, or ``classifier`` of a
    network that was made so). Elsewhere nothing has taught it where to look: BEiT and EVA-02 carry a
    token and pool the patches, a CAM head averages them, SigLIP has no token.
    """

    title = "class-token attention"
    takes_argument = True
    own_pass = True

    @contextmanager
    def ready(self, localizer: Localizer) -> Iterator[None]:
        """The block's weights are kept; ``UserError`` where no token was taught to look."""
        tokens = check_class_token(self.name, localizer)
        block = self._block(len(tokens.blocks), localizer.backbone.name)
        check_plain(self.name, localizer, range(block, block + 1))
        self._prefix = tokens.prefix
        with weights_kept([tokens.blocks[block].attn]) as self._weights:
            yield

    def _block(self, blocks: int, backbone: str) -> int:
        if not self.argument:
            return blocks - 1
        if not self.argument.isdecimal() or int(self.argument) >= blocks:
            raise UserError(
                f"map source {self.name!r}: the blocks of {backbone} are 0 to {blocks - 1}, as in "
                "class_token:0"
            )
        return int(self.argument)

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w) in [0, 1]: shares of the class token's attention, over heads on average."""
        maps = class_token_row(self._weights[0], self._prefix)
        return pulled_back(on_grid(maps, output.features), output.window)


def class_token_row(weights: Tensor, prefix: int) -> Tensor:
    """How the first token of weights (N, heads, T, T) attends to the patches: (N, T - prefix).

    The mean over heads. What it gives to itself and to other prefix tokens is left out, so that a map
    sums to less than 1.
    """
    return weights[:, :, 0, prefix:].float().mean(dim=1)
