"""The mean of the last features: what a network lights up without being asked for a class."""

from __future__ import annotations

from torch import Tensor

from wsol.attention.warps import pulled_back
from wsol.maps.contract import Columns, ModelMaps
from wsol.models.localizer import LocalizerOutput


class FeatureMean(ModelMaps):
    """Channel mean of the last features, class-agnostic baseline."""

    title = "feature mean"
    baseline = True

    def read(self, output: LocalizerOutput, columns: Columns) -> Tensor:
        """The mean over channels, (N, h, w)."""
        return pulled_back(output.features.mean(dim=1), output.window)
