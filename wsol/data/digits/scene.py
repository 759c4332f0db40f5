"""A scene: what stands in each of many images, and how large, before it has a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WHOLE = 1000  # thousandths of a thing's width, in which its cells are told
NOTHING = -1


@dataclass(frozen=True)
class Things:
    """``k`` things in each of ``n`` images; a thing is a row of up to ``c`` cells, a digit each.

    Attributes:
        heights, widths: (n, k) int64 pixels.
        margins: (k,) pixels that each keeps from what is placed before it; the widest come first.
        edges: (n, k, c + 1) int64, where the cells begin and end, in thousandths of the width.
        digits: (n, k, c) int64, 0 to 9; -1 where there is no cell.
        codes: (n, k, c) uint8, of which part of the image a cell is.
        instances: (n, k, c) int64, the number of the labelled object a cell belongs to; -1: to none.
    """

    heights: np.ndarray
    widths: np.ndarray
    margins: Sequence[int]
    edges: np.ndarray
    digits: np.ndarray
    codes: np.ndarray
    instances: np.ndarray


@dataclass(frozen=True)
class Patch:
    """A rectangle of one texture on plain ground: ``texture``, top, left, height, width, (n,) each."""

    texture: np.ndarray
    top: np.ndarray
    left: np.ndarray
    height: np.ndarray
    width: np.ndarray


@dataclass(frozen=True)
class Scene:
    """``n`` images before they are drawn.

    Attributes:
        labels: (n,) int64, the class of each image; -1 where no object of a class stands in it.
        things: what stands in it.
        instance_labels: (n, m) int64, the class of each labelled object; -1 where there is none.
        part_names: what the codes of the cells, and of the context, are called.
        patch: the context; None where the ground is one texture throughout.
    """

    labels: np.ndarray
    things: Things
    instance_labels: np.ndarray
    part_names: dict[int, str]
    patch: Patch | None = None


def singles(
    sides: np.ndarray,
    margins: Sequence[int],
    digits: np.ndarray,
    codes: np.ndarray,
    instances: np.ndarray,
) -> Things:
    """Things of one cell each, as high as wide; all arrays (n, k)."""
    edges = np.broadcast_to(np.array([0, WHOLE], np.int64), (*sides.shape, 2))
    cells = (each[..., None] for each in (digits, codes, instances))
    return Things(sides, sides, margins, edges, *cells)
