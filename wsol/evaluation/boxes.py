"""Boxes between the original image and the score map."""

from __future__ import annotations

import numpy as np

from wsol.evaluation.contours.sweep import largest_contour_boxes

Size = tuple[int, int]


def scale_boxes(
    boxes: np.ndarray, image_size: Size, map_size: Size, truncate: bool = True
) -> np.ndarray:
    """Boxes (n, 4) ``x0, y0, x1, y1`` of an image, in pixels of its score map.

    ``image_size`` and ``map_size`` are (height, width). The coordinate is multiplied by the map's
    side before it is divided by the image's: the other order rounds otherwise. With ``truncate``
    (wsolevaluation) it is cut towards zero, int64; without it stays float64.
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    scaled = boxes * _sides(map_size) / _sides(image_size)
    return scaled.astype(np.int64) if truncate else scaled


def box_at(map_u8: np.ndarray, cut: int) -> np.ndarray:
    """The box of the largest contour of ``map_u8 > cut``: int32 (4,) half-open pixels of the map.

    All zeros where nothing is above the cut. All cuts cost no more than one
    (`sweep.largest_contour_boxes`).
    """
    return largest_contour_boxes(map_u8)[cut]


def to_image(boxes: np.ndarray, map_size: Size, image_size: Size) -> np.ndarray:
    """Half-open boxes (n, 4) of a score map, float64 half-open pixels of its image."""
    return scale_boxes(boxes, map_size, image_size, truncate=False)


def _sides(size: Size) -> np.ndarray:
    height, width = size
    return np.array([width, height, width, height], dtype=np.float64)
