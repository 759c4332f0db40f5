"""The boxes of all contours at all levels, each with the range of levels it lives through."""

from __future__ import annotations

import numpy as np
from numba import njit

from wsol.evaluation.grey_levels import (
    GROUPS,
    LEVELS,
    LOWEST_BIT,
    NEIGHBOURS,
    earlier_neighbours,
    fill_holes,
    pad,
    rank,
)

# Columns of a component's row. First and last are places (row << 16 | column) in raster order; entry is
# the row of the output that holds its present box, or -1.
_X0, _X1, _FIRST, _LAST, _TOUCHED, _ENTRY, _PARENT, _COLUMNS = range(8)

# A hole hangs together by its sides only, so each side neighbour may belong to another hole.
_SIDES = np.array([bits & 0b01011010 for bits in range(LEVELS)], np.uint8)


def all_contour_boxes(map_u8: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The bounding rectangles of all contours at all cuts (``cv2.RETR_TREE``).

    ``map_u8`` uint8 (H, W). Returns ``(boxes (m, 4), first_cut (m,), last_cut (m,))``, int32: at cut
    ``c`` the contours of ``map > c`` have exactly those boxes, half-open pixels, for which
    ``first_cut <= c <= last_cut``, each as often as it occurs. They are the 8-connected components,
    nested ones too, and the borders of holes: every 4-connected component of ``map <= c`` that does
    not touch the frame, grown by one pixel a side.
    """
    padded = pad(map_u8)
    bright = _sweep(*rank(padded), earlier_neighbours(padded), GROUPS, np.zeros_like(padded))
    filled = fill_holes(padded)
    # A pixel is in a hole at the cuts c with map <= c < filled: holes grow as components of the depth.
    depth = np.where(filled > padded, 255 - padded, 0)
    holes = _sweep(*rank(depth), earlier_neighbours(depth), _SIDES, 255 - filled)
    boxes = np.concatenate([bright[:, :4], holes[:, :4] + np.array([-1, -1, 1, 1], np.int32)])
    first_cut = np.concatenate([bright[:, 5], 255 - holes[:, 4]])
    last_cut = np.concatenate([bright[:, 4] - 1, 254 - holes[:, 5]])
    return boxes, first_cut, last_cut


@njit(nogil=True, cache=True)
def _sweep(places, starts, earlier, groups_of, end):
    """Boxes of all components from bright to dark: rows of x0, y0, x1, y1, opened, closed.

    A box is that of a component of ``map >= level`` for ``closed < level <= opened``; boxes that last
    are closed at the level that ``end`` holds at their pixels.
    """
    height, width = earlier.shape
    earlier, end = earlier.ravel(), end.ravel()
    step = np.empty(8, np.int64)
    for k in range(8):
        step[k] = NEIGHBOURS[k][0] * width + NEIGHBOURS[k][1]
    component_of = np.empty(earlier.size, np.int32)
    # No two components start in neighbouring pixels.
    components = np.empty((min(places.size, (height * width + 1) // 2), _COLUMNS), np.int32)
    entries = np.empty((places.size, 6), np.int32)
    touched = np.empty(components.shape[0], np.int32)
    n_components, n_entries = 0, 0
    for level in range(LEVELS - 1, 0, -1):
        n_touched = 0
        for i in range(starts[level], starts[level + 1]):
            place = places[i]
            x = place & 0xFFFF
            pixel = (place >> 16) * width + x
            groups = groups_of[earlier[pixel]]
            if groups == 0:
                one = n_components
                n_components += 1
                row = components[one]
                row[_X0] = row[_X1] = x
                row[_FIRST] = row[_LAST] = place
                row[_TOUCHED] = 0
                row[_ENTRY] = -1
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
                        if components[other, _ENTRY] >= 0:
                            entries[components[other, _ENTRY], 5] = level
                row = components[one]
                row[_X0] = min(row[_X0], x)
                row[_X1] = max(row[_X1], x)
                row[_FIRST] = min(row[_FIRST], place)
                row[_LAST] = max(row[_LAST], place)
            component_of[pixel] = one
            if row[_TOUCHED] != level:
                row[_TOUCHED] = level
                touched[n_touched] = one
                n_touched += 1
        for i in range(n_touched):
            if components[touched[i], _PARENT] == touched[i]:
                n_entries = _enter(components[touched[i]], entries, n_entries, level)
    for one in range(n_components):
        row = components[one]
        if row[_PARENT] == one:
            entries[row[_ENTRY], 5] = end[(row[_FIRST] >> 16) * width + (row[_FIRST] & 0xFFFF)]
    return entries[:n_entries]


@njit(nogil=True, cache=True)
def _enter(row, entries, n_entries, level):
    """Close the component's last box and open the present one, where they differ."""
    # The frame of zeros shifts every coordinate by one.
    x0, y0, x1, y1 = row[_X0] - 1, (row[_FIRST] >> 16) - 1, row[_X1], row[_LAST] >> 16
    entry = row[_ENTRY]
    if entry >= 0:
        box = entries[entry]
        if box[0] == x0 and box[1] == y0 and box[2] == x1 and box[3] == y1:
            return n_entries
        box[5] = level
    box = entries[n_entries]
    box[0], box[1], box[2], box[3], box[4] = x0, y0, x1, y1, level
    row[_ENTRY] = n_entries
    return n_entries + 1


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
