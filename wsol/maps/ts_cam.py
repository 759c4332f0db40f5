"""TS-CAM's coupling of a class map with the attention of the class token.

Gao et al., "TS-CAM: Token Semantic Coupled Attention Map for Weakly Supervised Object Localization",
ICCV 2021, arXiv 2103.14862; as in its code (github.com/vasgaowei/TS-CAM: lib/models/deit.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from wsol.attention.warps import pulled_back
from wsol.maps.cam import ClassMap
from wsol.maps.contract import Columns
from wsol.maps.tokens.attention_weights import weights_kept
from wsol.maps.tokens.class_token import class_token_row
from wsol.models.localizer import Localizer, LocalizerOutput
from wsol.models.token_head import class_token_of


class TokenCoupled(ClassMap):
    """TS-CAM: class map of the true class times the class token's attention, summed over the blocks."""

    own_pass = True

    @contextmanager
    def ready(self, localizer: Localizer) -> Iterator[None]:
        """Keep each block's attention weights; ``UserError`` where there is no class token."""
        self._tokens = class_token_of(localizer.backbone, f"map source {self.name}", plain=True)
        layers = [block.attn for block in self._tokens.blocks]
        with super().ready(localizer), weights_kept(layers) as self._weights:
            yield

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Each image's coupled map, (N, h, w): signed, as the class map is."""
        of_class = super().read(output, columns)
        attention = class_attention(self._weights, self._tokens.prefix).unflatten(1, of_class.shape[1:])
        return of_class * pulled_back(attention, output.window)


def class_attention(weights: Sequence[Tensor], prefix: int) -> Tensor:
    """What the class token gives to each patch, (N, h w): mean over heads, summed over blocks [code].

    ``weights`` (N, heads, T, T) are the blocks'; their first ``prefix`` tokens belong to no patch. A
    mean over blocks would be the same map up to a factor, which scaling it to [0, 1] takes away.
    """
    return torch.stack([class_token_row(one, prefix) for one in weights]).sum(dim=0)
