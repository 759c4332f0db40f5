"""The threshold sweep: a quantised map's boxes at every cut, from one pass over its pixels.

wsolevaluation thresholds an 8-bit map at ``int(threshold * maximum)`` and looks for contours anew each
time. Only 256 cuts exist whatever the grid, and components only ever grow as the cut falls, so
one union-find from bright to dark meets them all.
"""

from __future__ import annotations

import numpy as np

from wsol.evaluation.contours.components import all_boxes, largest_boxes
from wsol.evaluation.contours.grey_levels import (
    ONE_A_GROUP,
    SIDES,
    earlier_neighbours,
    fill_holes,
    pad,
    rank,
)

LivingBoxes = tuple[np.ndarray, np.ndarray, np.ndarray]


def largest_contour_boxes(map_u8: np.ndarray) -> np.ndarray:
    """The bounding rectangle of the largest contour at each cut.

    ``map_u8`` uint8 (H, W). Returns int32 (256, 4): row ``c`` is ``x0, y0, x1, y1``, half-open pixels,
    of the 8-connected component of ``map > c`` with the largest polygon area through pixel centres
    (``cv2.contourArea`` of its outer border, holes included), as ``cv2.boundingRect`` gives it; of
    equal ones that whose first pixel in raster order comes last, which is OpenCV's first. All
    zeros where nothing is above the cut.
    """
    return _largest(fill_holes(pad(map_u8)))


def all_contour_boxes(map_u8: np.ndarray) -> LivingBoxes:
    """The bounding rectangles of all contours at all cuts (``cv2.RETR_TREE``).

    ``map_u8`` uint8 (H, W). Returns ``(boxes (m, 4), first_cut (m,), last_cut (m,))``, int32: at cut
    ``c`` the contours of ``map > c`` have exactly those boxes, half-open pixels, for which
    ``first_cut <= c <= last_cut``, each as often as it occurs. They are the 8-connected components,
    nested ones too, and the borders of holes: every 4-connected component of ``map <= c`` that does
    not touch the frame, grown by one pixel a side.
    """
    padded = pad(map_u8)
    return _all(padded, fill_holes(padded))


def component_boxes(map_u8: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The bounding rectangles of the outer contours at all cuts, and how bright each is.

    As `all_contour_boxes` without the borders of holes: ``(boxes (m, 4), first_cut (m,), last_cut (m,),
    brightest (m,))``, int32; ``brightest`` is the largest value of the map in the component.
    """
    padded = pad(map_u8)
    places = rank(padded)
    bright = all_boxes(*places, earlier_neighbours(padded), ONE_A_GROUP, np.zeros_like(padded))
    return bright[:, :4], bright[:, 5], bright[:, 4] - 1, bright[:, 6]


def contour_boxes(map_u8: np.ndarray) -> tuple[np.ndarray, LivingBoxes]:
    """What `largest_contour_boxes` and `all_contour_boxes` return, their common work done once."""
    padded = pad(map_u8)
    filled = fill_holes(padded)
    return _largest(filled), _all(padded, filled)


def _largest(filled: np.ndarray) -> np.ndarray:
    # A polygon's area counts its holes; in the filled map the components have none.
    return largest_boxes(*rank(filled), earlier_neighbours(filled), ONE_A_GROUP)


def _all(padded: np.ndarray, filled: np.ndarray) -> LivingBoxes:
    bright = all_boxes(*rank(padded), earlier_neighbours(padded), ONE_A_GROUP, np.zeros_like(padded))
    # A pixel is in a hole at the cuts c with map <= c < filled: holes are components of the depth.
    depth = np.where(filled > padded, 255 - padded, 0)
    holes = all_boxes(*rank(depth), earlier_neighbours(depth), SIDES, 255 - filled)
    return (
        np.concatenate([bright[:, :4], holes[:, :4] + _GROWN]),
        np.concatenate([bright[:, 5], 255 - holes[:, 4]]),
        np.concatenate([bright[:, 4] - 1, 254 - holes[:, 5]]),
    )


_GROWN = np.array([-1, -1, 1, 1], np.int32)
