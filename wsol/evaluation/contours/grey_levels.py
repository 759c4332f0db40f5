"""What both contour rules do first: fill holes, rank pixels, note who arrives before whom.

Maps here are *padded*: uint8 (H + 2, W + 2) with a frame of zeros, so that no neighbour is missing.
A pixel's *place* is ``row << 16 | column`` in the padded map: places compare as raster order does.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LEVELS = 256
_LONGEST_SIDE = 2**16 - 2  # so that a place fits 32 bits


def pad(map_u8: np.ndarray) -> np.ndarray:
    """A uint8 (H, W) map with a frame of zeros around it, (H + 2, W + 2)."""
    if map_u8.dtype != np.uint8 or map_u8.ndim != 2 or max(map_u8.shape) > _LONGEST_SIDE:
        raise TypeError(
            f"map is {map_u8.dtype} {map_u8.shape}, not uint8 (height, width) of at most "
            f"{_LONGEST_SIDE} pixels a side: quantise it first"
        )
    height, width = map_u8.shape
    padded = np.zeros((height + 2, width + 2), np.uint8)
    padded[1:-1, 1:-1] = map_u8
    return padded


@njit(nogil=True, cache=True)
def fill_holes(padded):
    """Each pixel raised to the smallest maximum of all 4-connected paths from it to the frame.

    Thresholding the result gives the thresholded map with its holes filled, at every level. Two
    raster scans settle nearly every pixel of a smooth map; a flood in order of level (Dijkstra's
    algorithm with one bucket a level) settles the others, each of them once.
    """
    height, width = padded.shape
    filled = np.zeros_like(padded)
    # A pixel follows from its row's last one and from those above or below, the latter for a whole
    # row at once: the bound that they set on what the path along the row may bring.
    ceiling = np.empty(width, np.uint8)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            ceiling[x] = max(padded[y, x], filled[y - 1, x])
        path = 0
        for x in range(1, width - 1):
            path = max(min(path, np.int64(ceiling[x])), np.int64(padded[y, x]))
            filled[y, x] = path
    for y in range(height - 2, 0, -1):
        for x in range(1, width - 1):
            ceiling[x] = min(filled[y, x], max(padded[y, x], filled[y + 1, x]))
        path = 0
        for x in range(width - 2, 0, -1):
            path = max(min(path, np.int64(ceiling[x])), np.int64(padded[y, x]))
            filled[y, x] = path
    _flood(padded.ravel(), filled.ravel(), width)
    return filled


@njit(nogil=True, cache=True)
def _flood(ground, water, width):
    """Lower ``water`` to its final level, starting from pixels below a right or lower neighbour."""
    queued = np.empty(3 * ground.size, np.int32)  # a pixel starts for two neighbours and sinks once
    following = np.empty(3 * ground.size, np.int32)
    bucket = np.full(LEVELS, -1, np.int32)
    same_level = np.empty(ground.size, np.int32)
    used = 0
    for pixel in range(width, ground.size):
        if water[pixel] > ground[pixel]:
            for source in (pixel - 1, pixel - width):
                if water[source] < water[pixel]:
                    queued[used] = source
                    following[used] = bucket[water[source]]
                    bucket[water[source]] = used
                    used += 1
    for level in range(LEVELS):
        entry = bucket[level]
        while entry >= 0:
            same_level[0] = queued[entry]
            entry = following[entry]
            # Where the water has sunk meanwhile, a lower level dealt with the pixel.
            n = 1 if water[same_level[0]] == level else 0
            while n:
                n -= 1
                source = same_level[n]
                for pixel in (source - 1, source + 1, source - width, source + width):
                    if water[pixel] > max(level, ground[pixel]):
                        if ground[pixel] <= level:
                            water[pixel] = level
                            same_level[n] = pixel
                            n += 1
                        else:
                            water[pixel] = ground[pixel]
                            queued[used] = pixel
                            following[used] = bucket[ground[pixel]]
                            bucket[ground[pixel]] = used
                            used += 1


@njit(nogil=True, cache=True)
def rank(padded):
    """Places of all pixels above 0, by rising level, in raster order within one.

    Returns ``(places (n,) uint32, starts (257,) int64)``: those of a level are
    ``places[starts[level]:starts[level + 1]]``.
    """
    height, width = padded.shape
    starts = np.zeros(LEVELS + 1, np.int64)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            if padded[y, x]:
                starts[padded[y, x] + 1] += 1
    for level in range(LEVELS):
        starts[level + 1] += starts[level]
    end = starts[:LEVELS].copy()
    places = np.empty(starts[LEVELS], np.uint32)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            level = padded[y, x]
            if level:
                places[end[level]] = y << 16 | x
                end[level] += 1
    return places, starts


@njit(nogil=True, cache=True)
def earlier_neighbours(padded):
    """For every pixel, which of its 8 neighbours come before it from bright to dark.

    Ties go by raster order. One bit a neighbour, in the order of ``NEIGHBOURS``; the frame's bits are
    meaningless, as are those of pixels at 0, which are never foreground. uint8, shape of ``padded``.
    """
    height, width = padded.shape
    bits = np.empty_like(padded)
    for y in range(1, height - 1):
        above, here, below, out = padded[y - 1], padded[y], padded[y + 1], bits[y]
        for x in range(1, width - 1):
            v = here[x]
            out[x] = (
                (above[x - 1] >= v)
                | (above[x] >= v) << 1
                | (above[x + 1] >= v) << 2
                | (here[x - 1] >= v) << 3
                | (here[x + 1] > v) << 4
                | (below[x - 1] > v) << 5
                | (below[x] > v) << 6
                | (below[x + 1] > v) << 7
            )
    return bits


# (row, column) steps to the neighbours, in raster order: bit k of `earlier_neighbours` is NEIGHBOURS[k].
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def _one_bit_a_group() -> np.ndarray:
    """Of each set of neighbours, one a group that hangs together without the pixel itself."""
    kept = np.zeros(LEVELS, np.uint8)
    for bits in range(LEVELS):
        left = [k for k in range(8) if bits >> k & 1]
        while left:
            kept[bits] |= 1 << left[0]
            group = [left.pop(0)]
            for member in group:
                near = [k for k in left if _touch(NEIGHBOURS[member], NEIGHBOURS[k])]
                group += near
                left = [k for k in left if k not in near]
    return kept


def _touch(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1


# Which neighbours a pixel joins, for each set of `earlier_neighbours`. Foreground hangs together by
# corners too; a hole by its sides only, so that each of them may belong to another hole.
ONE_A_GROUP = _one_bit_a_group()
SIDES = np.array([bits & 0b01011010 for bits in range(LEVELS)], np.uint8)
LOWEST_BIT = np.array([0] + [(n & -n).bit_length() - 1 for n in range(1, LEVELS)], np.uint8)
