"""The conventions that make two localization scores comparable, each set under one name.

Numbers of two protocols never stand in one column. A change in behaviour bumps ``version``.

What is done with odd score maps is part of every protocol; each case is counted in the record:

===================== =========================================================== ====================
map                   what is done                                                count
===================== =========================================================== ====================
holds NaN             all zeros, as in wsolevaluation: no box, no foreground      ``nan_maps``
holds inf             the same (wsolevaluation's result is left to the processor) ``infinite_maps``
constant              all zeros, as in wsolevaluation                             ``constant_maps``
negative values       allowed: only differences within a map count                ``negative_maps``
of another class      allowed (class-agnostic sources); recorded                  ``maps_of_other_class``
not numbers, not 2-D  `wsol.errors.UserError` that names the image                 -
image without a map   `UserError` that names the images: no smaller average        -
map without an image  `UserError`; counted only when a folder holds more than the ``maps_without_image``
                      scored split
two maps of an image  `UserError`                                                 -
unknown class         `UserError` that names the line of the predictions file     -
===================== =========================================================== ====================

Images without a true box cannot be localized: box metrics are taken over the images that have
one, and the others are counted (``images_without_boxes``). An image without foreground stays in
pixel metrics, where its pixels are background. A prediction without any box has IoU 0 there;
under `choe2020` it has the reference's box ``(0, 0, 0, 0)``, one pixel large.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from wsol.errors import UserError, suggest
from wsol.registry import Registry
from wsol.scores.thresholds import FINEST, FINEST_SPELLED, thresholds

Interpolation = Literal["nearest", "linear", "cubic"]

POLICIES = ("oracle", "val", "fixed")

# What holds under every protocol of this version of the suite, said in each record.
EVERYWHERE = {
    "normalisation": "minmax, times 255 truncated to 8 bits",
    "contours": "single: largest cv2.contourArea, last in raster order of ties; all: RETR_TREE",
}


@dataclass(frozen=True)
class ThresholdPolicy:
    """Where the score-map threshold comes from.

    ``oracle``: best on the scored images (MaxBoxAcc's own definition); ``val``: best on the val
    split; ``fixed``: ``value``, in [0, 1), given beforehand.
    """

    name: str
    value: float | None = None

    def __post_init__(self) -> None:
        if self.name not in POLICIES:
            raise UserError(f"unknown threshold policy {self.name!r}{suggest(self.name, POLICIES)}")
        if (self.name == "fixed") != (self.value is not None):
            raise UserError("the policy fixed, and no other, takes a threshold: write fixed:0.2")
        if self.value is not None and not 0 <= self.value < 1:
            raise UserError(f"fixed threshold {self.value} is not in [0, 1)")

    @classmethod
    def parse(cls, text: str) -> ThresholdPolicy:
        """``"oracle"``, ``"val"`` or ``"fixed:0.2"``; anything else is a `UserError`."""
        name, _, value = text.partition(":")
        try:
            return cls(name, float(value) if value else None)
        except ValueError as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"threshold policy {text!r}: {value!r} is not a number") from None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}:{self.value:g}"


@dataclass(frozen=True)
class Protocol:
    """How a score map becomes boxes and pixels, and how these are compared with the truth.

    Args:
        size: side of the square to which maps, boxes and masks are brought; None is the image's
            own size.
        interpolation: of the score map, in float64; masks are always resized by nearest neighbour.
        inclusive: boxes are inclusive, widths are ``x1 - x0 + 1``, predicted boxes end at
            ``min(x + w, size - 1)`` and true boxes are truncated to integers, as in wsolevaluation.
            False: half-open boxes throughout, nothing truncated.
        source_boxes: read the numbers as the source of the data set wrote them.
        per_class: P and J a class, then the mean over classes (Rubinstein et al.).
        boxes: whether boxes are scored.
        iou_percents: IoU thresholds of the box metrics, whole percents.
        policy: the threshold policy where none is asked for.
        metrics: kinds of metrics to report besides the suite's own, ``package.module:Class`` each
            (`wsol.scores.metrics.metric.Metric`).
        step: of the threshold grid ``0, step, 2 step, ...`` below 1. A map is then cut at
            ``int(threshold * its largest 8-bit value)``, foreground strictly above: there are 256
            cuts, however fine the grid. Scores of pixel metrics are compared in float64, foreground
            at or above; their histograms have a bin a step, so that a step below 0.0001 is refused
            where masks are scored.
    """

    name: str
    version: int = 1
    size: int | None = 224
    interpolation: Interpolation = "cubic"
    inclusive: bool = False
    source_boxes: bool = False
    per_class: bool = False
    boxes: bool = True
    iou_percents: tuple[int, ...] = (30, 50, 70)
    policy: ThresholdPolicy = ThresholdPolicy("oracle")
    step: float = 0.001
    metrics: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not FINEST <= self.step < 1:
            raise UserError(f"threshold step {self.step} is not in [{FINEST:g}, 1)")
        if any(not (isinstance(d, int) and 0 < d <= 100) for d in self.iou_percents):
            raise UserError(f"IoU thresholds {self.iou_percents} are not whole percents from 1 to 100")

    @property
    def thresholds(self) -> np.ndarray:
        """The threshold grid (T,) float64, as wsolevaluation spells it."""
        return thresholds(self.step)

    @property
    def bin_edges(self) -> np.ndarray:
        """Edges (T + 3,) of the pixel scores' histograms, wsolevaluation's."""
        self.check_pixels()
        return np.append(self.thresholds, [1.0, 2.0, 3.0])

    def check_pixels(self) -> None:
        """``UserError`` where the step is too fine to count pixels by it: memory grows with the bins."""
        if self.step < FINEST_SPELLED:
            raise UserError(
                f"threshold step {self.step:g} is too fine for masks, whose pixels are counted in a bin "
                f"a step: choose {FINEST_SPELLED:g} or more; a recipe leaves masks out by "
                "evaluation.masks false"
            )

    @property
    def ious(self) -> tuple[float, ...]:
        """The IoU thresholds of the box metrics, as floats in (0, 1]."""
        return tuple(percent / 100 for percent in self.iou_percents)

    def frame(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) in which an image of that size is scored."""
        return image_size if self.size is None else (self.size, self.size)

    def policy_named(self, text: str) -> ThresholdPolicy:
        """The policy that ``text`` names; the protocol's own where it is empty."""
        return ThresholdPolicy.parse(text) if text else self.policy

    def describe(self) -> dict[str, Any]:
        """Everything as JSON-able values, for the record."""
        return EVERYWHERE | dataclasses.asdict(self) | {"policy": str(self.policy)}

    @classmethod
    def of_record(cls, raw: Mapping[str, Any]) -> Protocol:
        """The protocol that `describe` described; what this version does not know is left aside.

        ``UserError`` where it contradicts itself, ``TypeError`` where it names no protocol.
        """
        known = {entry.name for entry in dataclasses.fields(cls)}
        values: dict[str, Any] = {key: value for key, value in raw.items() if key in known}
        for key in ("iou_percents", "metrics"):
            if key in values:
                values[key] = tuple(values[key])
        if "policy" in values:
            values["policy"] = ThresholdPolicy.parse(values["policy"])
        return cls(**values)


PROTOCOLS: Registry[Protocol] = Registry("protocol", instance_of="wsol.scores.protocol:Protocol")
for _protocol in (
    # wsolevaluation (Choe et al., CVPR 2020), bit for bit.
    Protocol("choe2020", inclusive=True, source_boxes=True),
    Protocol("halfopen"),
    # One threshold given beforehand; 0.2 is that of CAM (Zhou et al., CVPR 2016).
    Protocol("fixed", policy=ThresholdPolicy("fixed", 0.2)),
    # Object Discovery (Rubinstein et al., CVPR 2013): original resolution, masks only.
    Protocol("rubinstein2013", size=None, boxes=False, per_class=True),
):
    PROTOCOLS.register(_protocol.name, _protocol)


def protocol_named(name: str, step: float | None = None) -> Protocol:
    """The protocol called ``name``, with another threshold ``step`` where one is given."""
    found = PROTOCOLS.get(name)
    return found if step is None else dataclasses.replace(found, step=step)
