"""Backbone, attention and head as one network that shows its maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor


class LocalizerOutput(NamedTuple):
    """Logits (N, K), class maps (N, K, h, w) or None, attention maps {name: (N, h, w)}.

    ``features`` (N, C, h, w) are the last ones before the head.
    """

    logits: Tensor
    class_maps: Tensor | None
    attention: Mapping[str, Tensor]
    features: Tensor
