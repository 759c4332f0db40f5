"""An image's regions, merged step by step: the box of each region and of each merge is a proposal.

After the hierarchies of selective search (Uijlings et al., IJCV 2013), with scikit-image alone: regions
of Felzenszwalb and Huttenlocher (IJCV 2004) at four scales, of each a hierarchy. Which regions merge
first is our reading: those by whose union the colours' squared distance to their mean grows least
(Ward, 1963).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import find_objects
from skimage import graph
from skimage.color import rgb2lab
from skimage.segmentation import felzenszwalb

from wsol.evaluation.contours.iou import iou_matrix

SIDE = 224  # pixels of the longer side: finer regions would only make boxes that are thinned out again
SCALES = (50, 100, 200, 400)  # of felzenszwalb: a larger one makes larger regions
SIGMA, LEAST_PIXELS = 0.8, 50
# Of the image's area. A smaller box holds no object that a coarse map could show, a larger one all.
LEAST_AREA, MOST_AREA = 0.02, 0.95
MOST_IOU = 0.6  # two proposals that overlap more say the same: the larger stays


def proposals(image: Image.Image) -> np.ndarray:
    """The proposals of an RGB image: boxes (n, 4), x0, y0, x1, y1 in shares of its sides, float32.

    Largest first; none where the image is of one colour.
    """
    scale = SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    colours = rgb2lab(pixels)
    found = [np.zeros((0, 4), np.int64)]
    for size in SCALES:
        regions = felzenszwalb(pixels, scale=size, sigma=SIGMA, min_size=LEAST_PIXELS)
        found.append(hierarchy_boxes(colours, regions))
    boxes = np.unique(np.concatenate(found), axis=0)
    shares = _areas(boxes) / (width * height)
    kept = thinned(boxes[(shares >= LEAST_AREA) & (shares <= MOST_AREA)])
    return (kept / np.array([width, height, width, height])).astype(np.float32)


def hierarchy_boxes(colours: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """The boxes of ``regions`` and of each merge of two, up to the whole image.

    Args:
        colours: (H, W, 3) float.
        regions: (H, W) int, labels from 0 on, all in use.

    Returns:
        (2 n - 1, 4) int64 pixel edges of n regions that touch one another, x0, y0, x1, y1.
    """
    neighbours = touching(colours, regions)
    boxes = [region["box"] for _, region in sorted(neighbours.nodes(data=True))]

    def distance(graph_: Any, one: int, other: int) -> float:
        return _ward(graph_.nodes[one], graph_.nodes[other])

    def merge(graph_: Any, source: int, target: int) -> None:
        gone, stays = graph_.nodes[source], graph_.nodes[target]
        stays["colour"] = stays["colour"] + gone["colour"]
        stays["pixels"] += gone["pixels"]
        stays["box"] = np.concatenate(
            [
                np.minimum(stays["box"][:2], gone["box"][:2]),
                np.maximum(stays["box"][2:], gone["box"][2:]),
            ]
        )
        boxes.append(stays["box"])

    for one, other, edge in neighbours.edges(data=True):
        edge["weight"] = distance(neighbours, one, other)
    graph.merge_hierarchical(
        regions,
        neighbours,
        thresh=np.inf,
        rag_copy=False,
        in_place_merge=True,
        merge_func=merge,
        weight_func=lambda graph_, _, target, neighbour: {"weight": distance(graph_, target, neighbour)},
    )
    return np.array(boxes)


def touching(colours: np.ndarray, regions: np.ndarray) -> graph.RAG:
    """The graph of regions, (H, W) int, whose sides or corners touch, as `hierarchy_boxes` wants it.

    What scikit-image's ``rag_mean_color`` makes pixel by pixel in Python, in a fifth of the time. A node
    has its ``labels``, the sum ``colour`` (3,) of its ``pixels``, and its ``box``.
    """
    count, flat = int(regions.max()) + 1, regions.ravel()
    sums = np.stack([np.bincount(flat, channel.ravel()) for channel in np.moveaxis(colours, 2, 0)], 1)
    pixels = np.bincount(flat)
    found = graph.RAG()
    for label, box in enumerate(_bounds(regions)):
        found.add_node(label, labels=[label], colour=sums[label], pixels=int(pixels[label]), box=box)
    beside = [
        (regions[:, :-1], regions[:, 1:]),
        (regions[:-1], regions[1:]),
        (regions[:-1, :-1], regions[1:, 1:]),
        (regions[:-1, 1:], regions[1:, :-1]),
    ]
    pairs = np.concatenate([np.stack([one.ravel(), other.ravel()], axis=1) for one, other in beside])
    codes = np.unique(pairs.min(axis=1).astype(np.int64) * count + pairs.max(axis=1))
    found.add_edges_from(
        (int(one), int(other))
        for one, other in zip(codes // count, codes % count, strict=True)
        if one != other
    )
    return found


def thinned(boxes: np.ndarray, most: float = MOST_IOU) -> np.ndarray:
    """Boxes (n, 4) in pixels, largest first, without those that overlap a larger one more than ``most``.

    Overlap is IoU, and only those that stay count.
    """
    order = np.argsort(-_areas(boxes), kind="stable")
    overlap = iou_matrix(boxes, boxes)
    stays: list[int] = []
    for index in order.tolist():
        if not (overlap[index, stays] > most).any():
            stays.append(index)
    return boxes[stays]


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _bounds(regions: np.ndarray) -> np.ndarray:
    """(n, 4) pixel edges of the regions 0 to n - 1."""
    found = find_objects(regions + 1)  # which takes 0 for the background
    return np.array([(x.start, y.start, x.stop, y.stop) for y, x in found], np.int64)


def _ward(one: dict[str, Any], other: dict[str, Any]) -> float:
    """How much the pixels' squared distances to their region's mean colour grow if the two merge."""
    n, m = one["pixels"], other["pixels"]
    apart = one["colour"] / n - other["colour"] / m
    return float((apart**2).sum() * n * m / (n + m))
