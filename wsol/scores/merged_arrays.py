"""The per-image arrays of several processes as one: what one process would have made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from wsol.scores.completeness import check_complete
from wsol.scores.per_image import ARRAYS, PerImage


def merged(parts: Sequence[PerImage], order: Sequence[str]) -> PerImage:
    """The parts as one, their images in ``order``.

    ``UserError`` names images that no part has, that two parts have, or that are not in ``order``.
    """
    ids = [str(image_id) for part in parts for image_id in part.image_ids]
    check_complete(ids, order)
    place = {image_id: row for row, image_id in enumerate(ids)}
    rows = np.array([place[image_id] for image_id in order], np.intp)
    filled = [part for part in parts if len(part)]
    lengths = [len(part) for part in filled]
    arrays: dict[str, Any] = {
        name: _concatenated([getattr(part, name) for part in filled], lengths, rows) for name in ARRAYS
    }
    names = dict.fromkeys(name for part in filled for name in part.readings)
    readings: dict[str, Any] = {
        name: _concatenated([part.readings.get(name) for part in filled], lengths, rows)
        for name in names
    }
    boxes = [box for part in filled for box in (part.boxes or [b""] * len(part))]
    counts = sum((Counter(part.counts) for part in parts), Counter[str]())
    return PerImage(
        **arrays,
        protocol=parts[0].protocol,
        boxes=[boxes[row] for row in rows] if any(boxes) else None,
        readings=readings,
        counts=dict(sorted(counts.items())),
    )


def _concatenated(
    values: Sequence[np.ndarray | None], lengths: Sequence[int], rows: np.ndarray
) -> np.ndarray | None:
    """The values of all parts at ``rows``; zeros of a part that has none, None where none has."""
    present = next((value for value in values if value is not None), None)
    if present is None:
        return None
    blanks = [np.zeros((n, *present.shape[1:]), present.dtype) for n in lengths]
    filled = [blank if value is None else value for value, blank in zip(values, blanks, strict=True)]
    return np.concatenate(filled)[rows]
