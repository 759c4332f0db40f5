"""AP of all contours: those of all images ranked by how bright they are, matched one to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsol.scores.curves import Curve, Totals
from wsol.scores.instances import RANKED_CUTS, RANKED_THRESHOLDS, STEPS
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import Protocol
from wsol.scores.thresholds import TOP, cuts


@dataclass(frozen=True)
class InstanceAPMetric(Metric):
    """``instance_ap@0.5``: average precision of the contours of one cut, at the best of 15 cuts.

    A contour's score is its largest value in the normalised map, in 16 steps; contours of one step come
    together. So the brightest contour of every image comes first: our reading, as maps are compared
    after min-max everywhere else.
    """

    @classmethod
    def of_protocol(cls, protocol: Protocol) -> Sequence[Metric]:
        """One."""
        return [cls()]

    @property
    def specification(self) -> MetricSpecification:
        """A main column."""
        return MetricSpecification(
            key="instance_ap@0.5",
            name="Instance AP .5",
            needs=("instances", "instance_ranks", "boxes"),
            column=243,
            main_column=143,
        )

    def candidates(self, per_image: PerImage, thresholds: np.ndarray) -> np.ndarray:
        """Those of the cuts at which contours are kept by brightness; a given one at the next."""
        if len(thresholds) > 1:
            return RANKED_THRESHOLDS
        return RANKED_THRESHOLDS[_places(thresholds)]

    def curve(self, per_image: PerImage, thresholds: np.ndarray) -> Curve:
        """Over the images that show an object."""
        rows = per_image.boxed
        ranks = per_image.readings["instance_ranks"][rows][:, _places(thresholds)]
        return RankedContours(
            rows, ranks.astype(np.float64), per_image.readings["instances"][rows].astype(np.float64)
        )


@dataclass(frozen=True)
class RankedContours(Curve):
    """AP from contours ``ranks`` (n, C, 16, 2) by cut, step of score, and whether they hit.

    ``there`` (n,) is how many objects each of the images ``rows`` shows.
    """

    rows: np.ndarray
    ranks: np.ndarray
    there: np.ndarray
    parts = 3

    @property
    def covered(self) -> np.ndarray:
        """Its rows."""
        return self.rows

    def totals(self, weights: np.ndarray) -> Totals:
        """Contours that find nothing and that do, (B, C * 16) each, and objects (B, 1)."""
        exact = weights[:, self.rows].astype(np.float64)
        flat = self.ranks.reshape(len(self.rows), -1, 2)
        return exact @ flat[..., 0], exact @ flat[..., 1], (exact @ self.there)[:, None]

    def percent(self, totals: Totals) -> np.ndarray:
        """The sum over steps, brightest first, of precision times what the step adds to recall."""
        wrong, right = (
            total.reshape(len(total), -1, STEPS)[..., ::-1].cumsum(axis=-1) for total in totals[:2]
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(right + wrong > 0, right / (right + wrong), 0.0)
            recall = right / totals[2][..., None]
        return 100 * (precision * np.diff(recall, axis=-1, prepend=0.0)).sum(axis=-1)


def _places(thresholds: np.ndarray) -> np.ndarray:
    """The kept cuts (C,) nearest above the thresholds' own, the last where there is none above."""
    found = np.searchsorted(RANKED_CUTS, cuts(thresholds, TOP))
    return np.minimum(found, len(RANKED_CUTS) - 1)
