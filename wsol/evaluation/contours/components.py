"""A union-find over pixels that arrive from bright to dark, a box and an area a component.

Components lie in one flat uint32 array, ``COLUMNS`` numbers each, and a component's name is its offset
there: unsigned offsets into flat arrays are what numba turns into plain loads, five times
faster here than rows of a matrix. Kernels that call each other stand in this one file, since numba
renews what it cached of one when that one's file changes, not when a file it calls into does.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from wsol.evaluation.contours.grey_levels import LEVELS, LOWEST_BIT, NEIGHBOURS

# FIRST and LAST are places (row << 16 | column) in raster order; AREA is twice the polygon area; TOUCHED
# the level at which the component last grew or was merged away; NOTE is the rule's own.
X0, X1, FIRST, LAST, AREA, TOUCHED, PARENT, NOTE = range(8)
COLUMNS = 8
NO_NOTE = np.uint32(0xFFFFFFFF)


def _area_gained() -> np.ndarray:
    """Twice the polygon area that a pixel adds when it joins these neighbours.

    Of each 2x2 quad the third pixel adds a triangle of half a unit and the fourth the other one.
    """
    gained = np.zeros(256, np.uint8)
    for bits in range(256):
        there = {step: bits >> k & 1 for k, step in enumerate(NEIGHBOURS)}
        for dy in (-1, 1):
            for dx in (-1, 1):
                gained[bits] += there[dy, 0] + there[0, dx] + there[dy, dx] >= 2
    return gained


_AREA_GAINED = _area_gained()


@njit(nogil=True, cache=True)
def _forest(pixels):
    """Room for the components of a map of so many pixels, none of them there yet.

    Returns ``(components, component_of, touched)``. No two components start in neighbouring pixels,
    so half the pixels bound their number.
    """
    most = pixels // 2 + 1
    return (
        np.empty(most * COLUMNS, np.uint32),
        np.empty(pixels, np.uint32),
        np.empty(most, np.uint32),
    )


@njit(nogil=True, cache=True)
def _grow(trees, end, places, level, earlier, width, groups_of):
    """Let the pixels at ``places`` arrive, all of one level.

    ``trees`` is what `_forest` gave, ``end`` where its components end. ``earlier`` (flat) says which
    neighbours of a pixel are there, ``groups_of`` one neighbour a group that it may join. Returns the
    new ``end`` and the number of components touched; those still their own parents grew.
    """
    components, component_of, touched = trees
    step = np.empty(8, np.int64)
    for k in range(8):
        step[k] = NEIGHBOURS[k][0] * width + NEIGHBOURS[k][1]
    n_touched = 0
    for place in places:
        x = place & 0xFFFF
        pixel = (place >> 16) * width + x
        before = earlier[pixel]
        groups = groups_of[before]
        if groups == 0:
            one = end
            end += np.uint32(COLUMNS)
            components[one + X0] = components[one + X1] = x
            components[one + FIRST] = components[one + LAST] = place
            components[one + AREA] = 0
            components[one + TOUCHED] = 0
            components[one + PARENT] = one
            components[one + NOTE] = NO_NOTE
        else:
            one = _root(components, component_of[pixel + step[LOWEST_BIT[groups]]])
            groups &= groups - 1
            while groups:
                other = _root(components, component_of[pixel + step[LOWEST_BIT[groups]]])
                groups &= groups - 1
                if other != one:
                    one, other = min(one, other), max(one, other)
                    _merge(components, one, other, level)
            if x < components[one + X0]:
                components[one + X0] = x
            if x > components[one + X1]:
                components[one + X1] = x
            if place < components[one + FIRST]:
                components[one + FIRST] = place
            if place > components[one + LAST]:
                components[one + LAST] = place
            components[one + AREA] += _AREA_GAINED[before]
        component_of[pixel] = one
        if components[one + TOUCHED] != level:
            components[one + TOUCHED] = level
            touched[n_touched] = one
            n_touched += 1
    return end, n_touched


@njit(nogil=True, cache=True)
def _root(components, one):
    parent = components[one + PARENT]
    while parent != one:
        grandparent = components[parent + PARENT]
        components[one + PARENT] = grandparent
        one, parent = parent, grandparent
    return one


@njit(nogil=True, cache=True)
def _merge(components, one, other, level):
    components[other + PARENT] = one
    components[other + TOUCHED] = level
    components[one + X0] = min(components[one + X0], components[other + X0])
    components[one + X1] = max(components[one + X1], components[other + X1])
    components[one + FIRST] = min(components[one + FIRST], components[other + FIRST])
    components[one + LAST] = max(components[one + LAST], components[other + LAST])
    components[one + AREA] += components[other + AREA]


@njit(nogil=True, cache=True)
def _write_box(components, one, box):
    """Half-open ``x0, y0, x1, y1`` of a component in the map without its frame."""
    box[0] = components[one + X0] - 1
    box[1] = (components[one + FIRST] >> 16) - 1
    box[2] = components[one + X1]
    box[3] = components[one + LAST] >> 16


@njit(nogil=True, cache=True)
def largest_boxes(places, starts, earlier, groups_of):
    """Half-open box of the component of ``map > cut`` with the largest area, (256, 4) int32.

    ``places, starts`` as `rank` and ``earlier`` as `earlier_neighbours` give them. Of equal ones
    that whose first pixel comes last; zeros where there is none.
    """
    width = earlier.shape[1]
    earlier = earlier.ravel()
    trees = _forest(earlier.size)
    components, _, touched = trees
    largest = np.empty(touched.size, np.uint32)  # those of the largest area, and some merged away
    n_largest, area = 0, 0
    end = np.uint32(0)
    boxes = np.zeros((LEVELS, 4), np.int32)
    for level in range(LEVELS - 1, 0, -1):
        arriving = places[starts[level] : starts[level + 1]]
        end, n_touched = _grow(trees, end, arriving, level, earlier, width, groups_of)
        for one in touched[:n_touched]:
            if components[one + PARENT] == one and components[one + AREA] >= area:
                if components[one + AREA] > area:
                    area = components[one + AREA]
                    n_largest = 0
                if components[one + NOTE] != area:  # not listed yet
                    components[one + NOTE] = area
                    largest[n_largest] = one
                    n_largest += 1
        n_largest, chosen = _last_in_raster_order(components, largest, n_largest)
        if n_largest:
            _write_box(components, chosen, boxes[level - 1])
    return boxes


@njit(nogil=True, cache=True)
def _last_in_raster_order(components, largest, n_largest):
    """Drop merged components from the list; find the one whose first pixel comes last."""
    kept = 0
    chosen = np.uint32(0)
    for one in largest[:n_largest]:
        if components[one + PARENT] == one:
            if kept == 0 or components[one + FIRST] > components[chosen + FIRST]:
                chosen = one
            largest[kept] = one
            kept += 1
    return kept, chosen


@njit(nogil=True, cache=True)
def all_boxes(places, starts, earlier, groups_of, last_level):
    """Boxes of all components from bright to dark: rows of x0, y0, x1, y1, opened, closed, brightest.

    A box is that of a component of ``map >= level`` for ``closed < level <= opened``; boxes that last
    are closed at the level that ``last_level`` holds at their pixels. ``brightest`` is the largest value
    of the component's pixels.
    """
    width = earlier.shape[1]
    earlier, last_level = earlier.ravel(), last_level.ravel()
    trees = _forest(earlier.size)
    components, _, touched = trees
    end = np.uint32(0)
    entries = np.empty((places.size, 7), np.int32)
    n_entries = 0
    for level in range(LEVELS - 1, 0, -1):
        arriving = places[starts[level] : starts[level + 1]]
        end, n_touched = _grow(trees, end, arriving, level, earlier, width, groups_of)
        for one in touched[:n_touched]:
            if components[one + PARENT] == one:
                n_entries = _enter(components, one, entries, n_entries, level)
    for one in range(0, end, COLUMNS):
        entry = components[one + NOTE]
        if entry != NO_NOTE:
            place = components[one + FIRST]
            closed = last_level[(place >> 16) * width + (place & 0xFFFF)]
            if components[one + PARENT] != one:
                closed = components[one + TOUCHED]
            entries[entry, 5] = closed
    return entries[:n_entries]


@njit(nogil=True, cache=True)
def _enter(components, one, entries, n_entries, level):
    """Close the component's last box and open the present one, where they differ."""
    entry = components[one + NOTE]
    _write_box(components, one, entries[n_entries])
    if entry != NO_NOTE:
        same = True
        for k in range(4):
            same &= entries[entry, k] == entries[n_entries, k]
        if same:
            return n_entries
        entries[entry, 5] = level
    entries[n_entries, 4] = level
    # Of components that merge the first to come goes on, which is the brightest.
    entries[n_entries, 6] = level if entry == NO_NOTE else entries[entry, 6]
    components[one + NOTE] = n_entries
    return n_entries + 1
