"""A normalised cut of the network's own patch features: what stands out, whatever its class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from wsol.attention.warps import pulled_back
from wsol.errors import UserError
from wsol.maps.contract import Columns, ModelMaps
from wsol.maps.tokens.attention_weights import keys_kept
from wsol.maps.tokens.normalized_cut import cut
from wsol.maps.tokens.token_needs import OTHERS, tokens_of
from wsol.models.localizer import Localizer, LocalizerOutput

ARGUMENTS = ("", "component", "keys", "keys.component")


class NormalizedCut(ModelMaps):
    """Normalised cut of the last features by TokenCut's rules, class-agnostic; cut:keys, cut:component.

    ``cut`` is the eigenvector, a map; ``cut:component`` the component of the seed, 1 inside and 0
    elsewhere, which is TokenCut's object. ``cut:keys`` and ``cut:keys.component`` cut the keys of the
    last block, all heads side by side, in place of the last features.

    TokenCut cuts DINO's keys of images in their own size; on other features, networks and sizes this is
    a reading. Features after a ReLU never point apart: where few pairs of patches fall under the
    threshold, little is cut, and where none does, the map is 0 everywhere.
    """

    title = "normalised cut"
    takes_argument = True

    def __init__(self, name: str, argument: str = "") -> None:
        super().__init__(name, argument)
        if argument not in ARGUMENTS:
            known = ", ".join(f"cut:{one}" if one else "cut" for one in ARGUMENTS)
            raise UserError(f"map source {name!r}: there are {known}")
        self._of_keys = argument.startswith("keys")
        self._of_component = argument.endswith("component")
        # y'Dy = 1: of twice as many cells, each with twice as many that are alike, each has half.
        self.per_cells = 0 if self._of_component else 1

    @contextmanager
    def ready(self, localizer: Localizer) -> Iterator[None]:
        """The last block's keys are kept where they are cut; ``UserError`` where it has none."""
        if not self._of_keys:
            yield
            return
        tokens = tokens_of(self.name, localizer)
        layer = getattr(tokens.blocks[-1], "attn", tokens.blocks[-1])
        if not tokens.plain_attention[-1] or not hasattr(layer, "k_norm"):
            kind = type(layer).__name__
            raise UserError(
                f"--maps {self.name} needs keys of every token in the last block; that of "
                f"{localizer.backbone.name} has {kind}: {OTHERS}"
            )
        self._prefix = tokens.prefix
        with keys_kept(layer) as self._keys:
            yield

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """Maps (N, h, w): the eigenvector, object upwards, or 1 in its component and 0 elsewhere."""
        features = output.features
        if self._of_keys:
            keys = self._keys[0][:, :, self._prefix :].transpose(2, 3).flatten(1, 2)
            features = keys.unflatten(2, features.shape[-2:])
        cuts = [cut(one)[self._of_component] for one in features.detach().float().cpu().numpy()]
        maps = torch.from_numpy(np.stack(cuts).astype(np.float32)).to(features.device)
        return pulled_back(maps, output.window)
