"""What is kept of every image: enough for every metric, curve, interval and paired test."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wsol.errors import UserError
from wsol.files.array_file import MOST_BYTES, pack, unpack
from wsol.files.writing.atomic import write_bytes
from wsol.scores.iou_codes import CUTS, least_code
from wsol.scores.packed_boxes import unpack_boxes
from wsol.scores.pixel_counts import PixelPool
from wsol.scores.thresholds import Cuts, columns_at, thresholds

if TYPE_CHECKING:
    from wsol.scores.protocol import Protocol
    from wsol.scores.samples import Annotation

UNKNOWN = -1
# In the file of arrays the names of readings begin so.
READING = "reading."


@dataclass
class PerImage:
    """The arrays of N images, in the order of the annotations.

    Attributes:
        image_ids: (N,) text.
        labels: (N,) int32, the true classes.
        protocol: name, version and step under which they were scored.
        top1, top5: (N,) int8: 1 where the true class is the first, is among the first five; 0
            where not; -1 where no class scores were given.
        has_box: (N,) bool: whether there is a true box.
        top: (N,) uint8, the largest value of the quantised map: a threshold t cuts at int(t * top).
        single: (N, 256) uint16, best IoU with a true box of the single-contour box, per cut, in
            1/50,000; None where the protocol scores no boxes or no image has one.
        all: (N, 256) uint8, the same over the boxes of all contours, in 1/100.
        positives, negatives: (N, bins + 1) uint32: pixels of the true foreground and background
            per bin of `Protocol.bin_edges`; column 0 holds pixels that no threshold makes
            foreground (outside a given mask). None where no masks are scored.
        boxes: the packed single-contour boxes (256, 4) of every image (`boxes_of`), whether it has a
            true box or not; None when loaded from a file without them.
        sizes: (N, 2) int32, height and width of the original image.
        groups: (N,) text, the same for images that are resampled together; None where each image is a
            draw of its own.
        readings: further arrays (N, ...) by name, which only the figures of some data sets need;
            `wsol.evaluation.readings` says which and when.
        counts: what was decided about odd input, see `wsol.scores.protocol`.
    """

    image_ids: np.ndarray
    labels: np.ndarray
    sizes: np.ndarray
    protocol: tuple[str, int, float]
    top1: np.ndarray
    top5: np.ndarray
    has_box: np.ndarray
    top: np.ndarray
    single: np.ndarray | None = None
    all: np.ndarray | None = None
    positives: np.ndarray | None = None
    negatives: np.ndarray | None = None
    boxes: list[bytes] | None = None
    groups: np.ndarray | None = None
    readings: dict[str, np.ndarray] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def empty(cls, annotations: Sequence[Annotation], protocol: Protocol, pixels: bool) -> PerImage:
        """Arrays to be filled for these images; ``pixels``: score masks too."""
        n = len(annotations)
        has_box = np.array([len(annotation.boxes) > 0 for annotation in annotations], bool)
        boxes = protocol.boxes and bool(has_box.any())
        bins = len(protocol.bin_edges) if pixels else 0
        return cls(
            image_ids=np.array([annotation.image_id for annotation in annotations], np.str_),
            labels=np.array([annotation.label for annotation in annotations], np.int32),
            sizes=np.array([annotation.size for annotation in annotations], np.int32).reshape(n, 2),
            protocol=(protocol.name, protocol.version, protocol.step),
            top1=np.full(n, UNKNOWN, np.int8),
            top5=np.full(n, UNKNOWN, np.int8),
            has_box=has_box,
            top=np.zeros(n, np.uint8),
            single=np.zeros((n, CUTS), np.uint16) if boxes else None,
            all=np.zeros((n, CUTS), np.uint8) if boxes else None,
            positives=np.zeros((n, bins), np.uint32) if pixels else None,
            negatives=np.zeros((n, bins), np.uint32) if pixels else None,
            boxes=[b""] * n,
            groups=_groups(annotations),
        )

    def __len__(self) -> int:
        return len(self.image_ids)

    def boxes_of(self, row: int) -> np.ndarray | None:
        """Single-contour boxes (256, 4) of an image, per cut, in pixels of the protocol's frame."""
        return unpack_boxes(self.boxes[row]) if self.boxes and self.boxes[row] else None

    @property
    def boxed(self) -> np.ndarray:
        """The rows (n,) of the images that have a true box."""
        return np.flatnonzero(self.has_box)

    @property
    def labelled(self) -> np.ndarray:
        """The rows (n,) of the images that have a label: of the others no class is right or wrong."""
        return np.flatnonzero(self.labels >= 0)

    @cached_property
    def pool(self) -> PixelPool:
        """The pixels of all images in one pool; ``ValueError`` where no masks were scored."""
        return PixelPool(*self.pixels)

    @property
    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """``positives`` and ``negatives``; ``ValueError`` where no masks were scored."""
        if self.positives is None or self.negatives is None:
            raise ValueError("no masks were scored")
        return self.positives, self.negatives

    def has(self, part: str) -> bool:
        """Whether ``"classes"``, ``"boxes"``, ``"masks"`` or the reading of that name were scored.

        Classes are where every image with a label has class scores.
        """
        if part == "classes":
            return len(self.labelled) > 0 and bool((self.top1[self.labelled] >= 0).all())
        if part in ("boxes", "masks"):
            return (self.single if part == "boxes" else self.positives) is not None
        return part in self.readings

    def codes(self, contours: str, thresholds: float | np.ndarray) -> np.ndarray:
        """Codes of IoU (`wsol.scores.iou_codes`) of the images ``boxed`` at thresholds in [0, 1).

        ``contours`` is ``"single"`` (the largest contour's box) or ``"all"`` (the best of all). (n, C)
        for thresholds (C,), (n,) for a number; ``ValueError`` where no boxes were scored.
        """
        kept = self.single if contours == "single" else self.all
        if kept is None:
            raise ValueError("no boxes were scored")
        grid = np.atleast_1d(np.asarray(thresholds, np.float64))
        found = Cuts.of_grid(grid, self.top[self.boxed]).take(kept[self.boxed])
        return found[:, 0] if np.ndim(thresholds) == 0 else found

    def right(self, contours: str, iou: float, thresholds: float | np.ndarray) -> np.ndarray:
        """Whether the box of each image ``boxed`` has an IoU of at least ``iou``: bool, as `codes`."""
        return self.codes(contours, thresholds) >= least_code(iou, contours)

    def distinct(self, thresholds: np.ndarray) -> np.ndarray:
        """Of thresholds that cut the map of every image ``boxed`` alike only the lowest."""
        return Cuts.of_grid(thresholds, self.top[self.boxed]).distinct().thresholds

    def columns(self, thresholds: np.ndarray) -> np.ndarray:
        """Where thresholds (C,) lie in the grid of the pixel counts; those off it, the next above."""
        return columns_at(self.grid, thresholds)

    @property
    def grid(self) -> np.ndarray:
        """The threshold grid (T,) of the pixel counts."""
        return thresholds(self.protocol[2])

    def of_images(self, rows: np.ndarray) -> PerImage:
        """The images at ``rows`` (n,), in that order; the ``counts`` are those of all images."""
        if np.array_equal(rows, np.arange(len(self))):
            return self
        arrays = {name: getattr(self, name) for name in ARRAYS}
        taken = {name: None if array is None else array[rows] for name, array in arrays.items()}
        boxes = [self.boxes[row] for row in rows] if self.boxes else None
        readings = {name: values[rows] for name, values in self.readings.items()}
        return dataclasses.replace(self, **taken, boxes=boxes, readings=readings)

    def scored_alike(self, other: PerImage) -> bool:
        """Whether every array is the same, so that no metric can tell them apart."""
        return (
            all(np.array_equal(getattr(self, name), getattr(other, name)) for name in ARRAYS)
            and self.readings.keys() == other.readings.keys()
            and all(
                np.array_equal(values, other.readings[name], equal_nan=values.dtype.kind == "f")
                for name, values in self.readings.items()
            )
        )

    def check(self, protocol: Protocol) -> None:
        """``ValueError`` unless these arrays were made under ``protocol``."""
        name, version, step = self.protocol
        if (name, version) != (protocol.name, protocol.version):
            raise ValueError(
                f"arrays of {name} version {version} cannot be read as {protocol.name} "
                f"version {protocol.version}: evaluate again"
            )
        if self.positives is not None:
            protocol.check_pixels()
        if self.positives is not None and step != protocol.step:
            raise ValueError(
                f"pixel histograms of step {step} have no step {protocol.step}: evaluate again"
            )

    def to_bytes(self) -> bytes:
        """The arrays as a compressed npz file without pickles; the same arrays, the same bytes.

        The boxes are left out: they are many, and no metric needs them.
        """
        name, version, step = self.protocol
        arrays = {key: getattr(self, key) for key in ARRAYS if getattr(self, key) is not None}
        arrays |= {f"{READING}{name}": values for name, values in self.readings.items()}
        arrays["protocol"] = np.array([name, str(version), repr(step)], np.str_)
        arrays["counts"] = np.array([f"{k}={v}" for k, v in sorted(self.counts.items())], np.str_)
        return pack(arrays)

    def save(self, path: Path | str) -> Path:
        """Write `to_bytes` whole or not at all."""
        return write_bytes(path, self.to_bytes())

    @classmethod
    def load(cls, path: Path | str) -> PerImage:
        """Read what `save` wrote; ``UserError`` names a file that is something else."""
        try:
            return cls.from_bytes(Path(path).read_bytes())
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: not the per-image arrays of a run: {error}") from error

    @classmethod
    def from_bytes(cls, content: bytes, most_bytes: int = MOST_BYTES) -> PerImage:
        """The arrays that `to_bytes` packed; ``ValueError`` where ``content`` is something else.

        So it is where it would unpack to more than ``most_bytes`` (`wsol.scores.array_size`).
        """
        try:
            arrays: dict[str, Any] = unpack(content, most_bytes)
            name, version, step = arrays.pop("protocol").tolist()
            pairs = [entry.rpartition("=") for entry in arrays.pop("counts").tolist()]
            names = [key for key in arrays if key.startswith(READING)]
            readings = {key.removeprefix(READING): arrays.pop(key) for key in names}
            return cls(
                **arrays,
                readings=readings,
                protocol=(name, int(version), float(step)),
                counts={key: int(count) for key, _, count in pairs},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(str(error)) from error


# Every array of N rows that has a field of its own.
ARRAYS = tuple(
    entry.name
    for entry in dataclasses.fields(PerImage)
    if entry.name not in ("protocol", "boxes", "readings", "counts")
)


def _groups(annotations: Sequence[Annotation]) -> np.ndarray | None:
    """The groups' names; an image of no group is one of its own."""
    if not any(annotation.group for annotation in annotations):
        return None
    return np.array([annotation.group or annotation.image_id for annotation in annotations], np.str_)
