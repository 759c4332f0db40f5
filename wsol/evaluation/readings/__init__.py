"""What is read of a prediction besides its boxes and pixels, where a data set says more of them."""

from __future__ import annotations

from collections.abc import Sequence

from wsol.evaluation.readings.absence import Absence
from wsol.evaluation.readings.instances import Instances
from wsol.evaluation.readings.queries import QueryClasses
from wsol.evaluation.readings.reading import Reading, ScoredMap
from wsol.evaluation.readings.regions import Regions
from wsol.scores.protocol import Protocol
from wsol.scores.samples import Annotation

KINDS: tuple[type[Reading], ...] = (QueryClasses, Absence, Regions, Instances)


def readings_of(annotations: Sequence[Annotation], protocol: Protocol) -> list[Reading]:
    """The readings that these annotations, those of a whole split, allow; most data sets allow none."""
    found = (kind.of(annotations, protocol) for kind in KINDS)
    return [reading for reading in found if reading is not None]


__all__ = ["KINDS", "Reading", "ScoredMap", "readings_of"]
