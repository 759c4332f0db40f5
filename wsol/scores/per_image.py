"""What is kept of every image: enough for every metric, curve, interval and paired test.

IoU is kept per cut in whole units of 1/50,000 (single contour) and 1/100 (all contours), rounded
down, so that comparing with any whole percent is exact: for the edges ``e_k = k / units`` the code
is the last k with ``e_k <= IoU``, and ``e_k`` and the reference's ``percent / 100`` are the same
float64 wherever they are the same number, both being that number correctly rounded.
"""

from __future__ import annotations

import dataclasses
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from wsol.errors import UserError
from wsol.files.array_file import pack, unpack
from wsol.files.atomic import write_bytes
from wsol.scores.protocol import Protocol
from wsol.scores.records import Annotation

CUTS = 256
SINGLE_UNITS = 50_000
ALL_UNITS = 100
UNKNOWN = -1


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
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def empty(cls, annotations: Sequence[Annotation], protocol: Protocol, pixels: bool) -> PerImage:
        """Arrays to be filled for these images; ``pixels``: score masks too."""
        n = len(annotations)
        has_box = np.array([len(annotation.boxes) > 0 for annotation in annotations], bool)
        boxes = protocol.boxes and bool(has_box.any())
        bins = len(protocol.bin_edges)
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
        )

    def __len__(self) -> int:
        return len(self.image_ids)

    def boxes_of(self, row: int) -> np.ndarray | None:
        """Single-contour boxes (256, 4) of an image, per cut, in pixels of the protocol's frame."""
        return unpack_boxes(self.boxes[row]) if self.boxes and self.boxes[row] else None

    def check(self, protocol: Protocol) -> None:
        """``ValueError`` unless these arrays were made under ``protocol``."""
        name, version, step = self.protocol
        if (name, version) != (protocol.name, protocol.version):
            raise ValueError(
                f"arrays of {name} version {version} cannot be read as {protocol.name} "
                f"version {protocol.version}: evaluate again"
            )
        if self.positives is not None and step != protocol.step:
            raise ValueError(
                f"pixel histograms of step {step} have no step {protocol.step}: evaluate again"
            )

    @classmethod
    def merge(cls, parts: Sequence[PerImage], order: Sequence[str]) -> PerImage:
        """The parts of several processes as one, in ``order``: what one process would have made.

        ``UserError`` names images that no part has, that two parts have, or that are not in ``order``.
        """
        ids = [str(image_id) for part in parts for image_id in part.image_ids]
        check_complete(ids, order)
        place = {image_id: row for row, image_id in enumerate(ids)}
        rows = np.array([place[image_id] for image_id in order], np.intp)
        filled = [part for part in parts if len(part)]
        merged = {}
        for name in _ARRAYS:
            values = [getattr(part, name) for part in filled]
            merged[name] = _concatenate(values, [len(part) for part in filled], rows)
        boxes = [box for part in filled for box in (part.boxes or [b""] * len(part))]
        counts: dict[str, int] = {}
        for part in parts:
            for key, count in part.counts.items():
                counts[key] = counts.get(key, 0) + count
        return cls(
            **merged,
            protocol=parts[0].protocol,
            boxes=[boxes[row] for row in rows] if any(boxes) else None,
            counts=dict(sorted(counts.items())),
        )

    def to_bytes(self) -> bytes:
        """The arrays as a compressed npz file without pickles; the same arrays, the same bytes.

        The boxes are left out: they are many, and no metric needs them.
        """
        name, version, step = self.protocol
        arrays = {key: getattr(self, key) for key in _ARRAYS if getattr(self, key) is not None}
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
            arrays: dict[str, Any] = dict(unpack(Path(path).read_bytes()))
            name, version, step = arrays.pop("protocol").tolist()
            pairs = [entry.rpartition("=") for entry in arrays.pop("counts").tolist()]
            return cls(
                **arrays,
                protocol=(name, int(version), float(step)),
                counts={key: int(count) for key, _, count in pairs},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise UserError(f"{path}: not the per-image arrays of a run: {error}") from error


_ARRAYS = tuple(
    entry.name
    for entry in dataclasses.fields(PerImage)
    if entry.name not in ("protocol", "boxes", "counts")
)


def encode_iou(iou: np.ndarray, units: int) -> np.ndarray:
    """IoU in [0, 1] as whole ``units``, rounded down: ``code >= percent * units / 100`` is exact."""
    edges = np.arange(units + 1) / units
    code = np.searchsorted(edges, iou, side="right") - 1
    return code.astype(np.uint8 if units <= 255 else np.uint16)


def pack_boxes(boxes: np.ndarray) -> bytes:
    """Integer boxes (256, 4) of neighbouring cuts in a tenth of their bytes."""
    return zlib.compress(np.diff(boxes.astype(np.int32), axis=0, prepend=np.int32(0)).tobytes(), 1)


def unpack_boxes(packed: bytes) -> np.ndarray:
    """What `pack_boxes` packed, (256, 4) int32."""
    steps = np.frombuffer(zlib.decompress(packed), np.int32).reshape(-1, 4)
    return np.cumsum(steps, axis=0, dtype=np.int32)


def check_complete(found: Sequence[str], expected: Sequence[str]) -> None:
    """``UserError`` unless the two hold the same image ids, each once."""
    extra, missing = set(found) - set(expected), set(expected) - set(found)
    twice = {image_id for image_id, count in _tally(found).items() if count > 1}
    findings = [
        f"{len(ids)} {what}, e.g. {', '.join(sorted(ids)[:3])}: {mend}"
        for ids, what, mend in (
            (missing, "of the images have no prediction", "every image of the split is scored or none"),
            (extra, "predictions are of images that the annotations lack", "leave them out"),
            (twice, "images have more than one prediction", "keep one each"),
        )
        if ids
    ]
    if findings:
        raise UserError.of(findings)


def _tally(ids: Sequence[str]) -> Mapping[str, int]:
    tally: dict[str, int] = {}
    for image_id in ids:
        tally[image_id] = tally.get(image_id, 0) + 1
    return tally


def _concatenate(values, lengths, rows):
    present = next((value for value in values if value is not None), None)
    if present is None:
        return None
    blanks = [np.zeros((n, *present.shape[1:]), present.dtype) for n in lengths]
    filled = [blank if value is None else value for value, blank in zip(values, blanks, strict=True)]
    return np.concatenate(filled)[rows]
