"""What a table needs to know of a metric, as a record keeps it: readers import no foreign code."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wsol.scores.protocol import POLICIES

# The place of a metric that names none: after the suite's own.
LAST_COLUMN = 1000

# What metrics may need that any data set may have; all else are arrays of readings, by name.
ANYWHERE = frozenset({"classes", "boxes", "masks"})


@dataclass(frozen=True, kw_only=True)
class MetricSpecification:
    """One metric as tables show it.

    Attributes:
        key: what records and the CSV call it, ``max_box_acc@0.5``.
        name: what people read at the head of a column, ``MaxBoxAcc .5``.
        unit: of its values; percentages are kept within 0 and 100, ratios above 0.
        oracle: whether its threshold is the best on the scored images whatever the policy.
        needs: what of an image it is computed from, all of them: ``classes``, ``boxes``, ``masks``, or
            one of two, ``boxes or masks``, or arrays of readings by name.
        policies: the threshold policies under which it is computed.
        mean_of: the keys whose plain mean it is, each at a threshold of its own; empty for others.
        column: place among the columns of the CSV, smallest first, then by key.
        main_column: place among the columns that Markdown and report show; None leaves it to the CSV.
        raw_threshold: whether its threshold is a score as the source of the maps made it, any number,
            and no share of a map's own range in [0, 1).
        lower_is_better: whether the best of several rows is the lowest.
        of_network: whether it asks one network about its own maps, so that its values compare among the
            maps of one network and never between two.
        rank: a table is ranked by that of its metrics whose rank is smallest; None never ranks.
    """

    key: str
    name: str
    unit: str = "percent"
    oracle: bool = False
    needs: tuple[str, ...] = ()
    policies: tuple[str, ...] = POLICIES
    mean_of: tuple[str, ...] = ()
    column: int = LAST_COLUMN
    main_column: int | None = None
    raw_threshold: bool = False
    lower_is_better: bool = False
    of_network: bool = False
    rank: int | None = None

    @property
    def of_reading(self) -> bool:
        """Whether it needs what only some data sets say: where they do not, it is left out."""
        return any(part not in ANYWHERE for need in self.needs for part in need.split(" or "))

    def describe(self) -> dict[str, Any]:
        """What is not the default, as JSON-able values: records stay small."""
        return {
            entry.name: value
            for entry in dataclasses.fields(self)
            if (value := getattr(self, entry.name)) != entry.default
        }

    @classmethod
    def of_record(cls, raw: Mapping[str, Any]) -> MetricSpecification:
        """What a record says of a metric; ``TypeError`` for an entry that is none."""
        lists = {key: tuple(value) for key, value in raw.items() if isinstance(value, list | tuple)}
        return cls(**{**raw, **lists})


def iou_name(iou: float) -> str:
    """An IoU threshold as column heads show it: ``.5``."""
    return f"{iou:g}".removeprefix("0")
