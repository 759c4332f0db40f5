"""The box of the largest contour at every level, in one pass from bright to dark."""

from __future__ import annotations

import numpy as np
from numba import njit

from wsol.evaluation.grey_levels import (
    AREA_GAINED,
    GROUPS,
    LEVELS,
    LOWEST_BIT,
    NEIGHBOURS,
    earlier_neighbours,
    fill_holes,
    pad,
    rank,
)

# Columns of a component's row. First and last are places (row << 16 | column) in raster order.
_X0, _X1, _FIRST, _LAST, _AREA, _LISTED, _PARENT, _COLUMNS = range(8)


def largest_contour_boxes(map_u8: np.ndarray) -> np.ndarray:
    """The bounding rectangle of the largest contour at each cut.

    ``map_u8`` uint8 (H, W). Returns int32 (256, 4): row ``c`` is ``x0, y0, x1, y1``, half-open pixels,
    of the 8-connected component of ``map > c`` with the largest polygon area through pixel centres
    (``cv2.contourArea`` of its outer border, holes included), as ``cv2.boundingRect`` gives it; of
    equal ones that whose first pixel in raster order comes last, which is OpenCV's first. All
    zeros where nothing is above the cut.
    """
    # A polygon's area counts its holes; in the filled map the components have none.
    filled = fill_holes(pad(map_u8))
    places, starts = rank(filled)
    return _sweep(places, starts, earlier_neighbours(filled))


@njit(nogil=True, cache=True)
def _sweep(places, starts, earlier):
    width = earlier.shape[1]
    earlier = earlier.ravel()
    step = np.empty(8, np.int64)
    for k in range(8):
        step[k] = NEIGHBOURS[k][0] * width + NEIGHBOURS[k][1]
    component_of = np.empty(earlier.size, np.int32)
    # No two components start in neighbouring pixels.
    components = np.empty((min(places.size, (earlier.size + 1) // 2), _COLUMNS), np.int32)
    n_components = 0
    largest = np.empty(components.shape[0], np.int32)  # those of the largest area, stale ones too
    n_largest, area = 0, 0
    boxes = np.zeros((LEVELS, 4), np.int32)
    for level in range(LEVELS - 1, 0, -1):
        for i in range(starts[level], starts[level + 1]):
            place = places[i]
            x = place & 0xFFFF
            pixel = (place >> 16) * width + x
            before = earlier[pixel]
            groups = GROUPS[before]
            if groups == 0:
                one = n_components
                n_components += 1
                row = components[one]
                row[_X0] = row[_X1] = x
                row[_FIRST] = row[_LAST] = place
                row[_AREA] = 0
                row[_LISTED] = -1
                row[_PARENT] = one
            else:
                bit = LOWEST_BIT[groups]
                groups &= groups - 1
                one = _root(components, component_of[pixel + step[bit]])
                while groups:
                    bit = LOWEST_BIT[groups]
                    groups &= groups - 1
                    other = _root(components, component_of[pixel + step[bit]])
                    if other != one:
                        one, other = min(one, other), max(one, other)
                        _merge(components, one, other)
                row = components[one]
                row[_X0] = min(row[_X0], x)
                row[_X1] = max(row[_X1], x)
                row[_FIRST] = min(row[_FIRST], place)
                row[_LAST] = max(row[_LAST], place)
                row[_AREA] += AREA_GAINED[before]
            component_of[pixel] = one
            if row[_AREA] >= area:
                if row[_AREA] > area:
                    area = row[_AREA]
                    n_largest = 0
                if row[_LISTED] != area:
                    row[_LISTED] = area
                    largest[n_largest] = one
                    n_largest += 1
        chosen = -1
        kept = 0
        for i in range(n_largest):
            one = largest[i]
            if components[one, _PARENT] == one:
                largest[kept] = one
                kept += 1
                if chosen < 0 or components[one, _FIRST] > components[chosen, _FIRST]:
                    chosen = one
        n_largest = kept
        if chosen >= 0:
            row = components[chosen]
            # The frame of zeros shifts every coordinate by one.
            boxes[level - 1, 0] = row[_X0] - 1
            boxes[level - 1, 1] = (row[_FIRST] >> 16) - 1
            boxes[level - 1, 2] = row[_X1]
            boxes[level - 1, 3] = row[_LAST] >> 16
    return boxes


@njit(nogil=True, cache=True)
def _root(components, one):
    while components[one, _PARENT] != one:
        components[one, _PARENT] = components[components[one, _PARENT], _PARENT]
        one = components[one, _PARENT]
    return one


@njit(nogil=True, cache=True)
def _merge(components, one, other):
    kept, lost = components[one], components[other]
    lost[_PARENT] = one
    kept[_X0] = min(kept[_X0], lost[_X0])
    kept[_X1] = max(kept[_X1], lost[_X1])
    kept[_FIRST] = min(kept[_FIRST], lost[_FIRST])
    kept[_LAST] = max(kept[_LAST], lost[_LAST])
    kept[_AREA] += lost[_AREA]
