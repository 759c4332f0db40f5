"""One map source's reading of a model's outputs, for the classes of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wsol.errors import UserError
from wsol.maps import PREDICTED
from wsol.maps.contract import Columns, ModelMaps
from wsol.models.localizer import LocalizerOutput

if TYPE_CHECKING:
    from wsol.data.loading.loader import Batch


@dataclass(frozen=True)
class View:
    """One source's reading of a model's outputs for a data set.

    ``columns`` are the logits that stand for each class, None where no true class is read; ``labels_of``
    the way back, empty where the data set's classes are not the model's. Two classes of the data set may
    share a logit.
    """

    source: ModelMaps
    name: str
    columns: list[list[int]] | None
    labels_of: dict[int, list[int]]

    def maps(self, output: LocalizerOutput, batch: Batch) -> np.ndarray:
        """(N, h, w) float32 maps of a batch, or its boxes (N, 4)."""
        wanted = self._wanted(output, batch) if self.source.of_class else []
        return self.source.read(output, wanted).detach().float().cpu().numpy()

    @property
    def kind(self) -> str:
        """Which field of a prediction it fills."""
        return "share_box" if self.source.gives_boxes else "score_map"

    def classes(self, logits: Sequence[int], label: int) -> tuple[int, ...]:
        """The data set's labels of some of the model's logits, -1 where it has none.

        Of several that share a logit the image's own ``label`` if it is among them, else the last.
        """
        if not self.labels_of:
            return ()
        found = (self.labels_of.get(column, [-1]) for column in logits)
        return tuple(label if label in labels else labels[-1] for labels in found)

    def _wanted(self, output: LocalizerOutput, batch: Batch) -> Columns:
        """The logits of each image's class, the true or the predicted one."""
        if self.columns is None:
            return output.logits.argmax(dim=1, keepdim=True).tolist()
        labels = batch.labels.tolist()
        if min(labels) < 0:
            raise UserError(
                f"{batch.image_ids[labels.index(min(labels))]}: has no label, and {self.name} is the "
                f"map of the true class; choose --maps {self.name}{PREDICTED}, attention or features"
            )
        return [self.columns[label] for label in labels]
