"""Controls: maps whose failing is known, since they are made from the truth or from nothing.

What a figure says of them is what it measures. Each is one of these:

- made from the truth of an image: the object itself, or one error exactly;
- made from the image without any network;
- the same for all images.

Networks, one untrained and one supervised by masks, are in `wsol.pipeline.diagnosis.ceiling`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from wsol.data.digits.tests import TESTS
from wsol.maps import map_source
from wsol.maps.contract import ImageMaps
from wsol.maps.intensity import blurred
from wsol.pipeline.diagnosis.truth import LABELLED, ImageTruth

CELLS = 8  # of a side of small_resnet's maps
ONE_SIZE = 1 / 4  # sigma of a blob, of the image's side; thresholds make it any size

Draw = Callable[[ImageTruth], np.ndarray]


@dataclass(frozen=True)
class Control:
    """One control.

    Attributes:
        name: what tables call it, without its size.
        failing: what is known to be wrong with it; empty where nothing is.
        draw: the truth of an image to a map (h, w) of floats in the image's own size, or to a mask,
            bool; zeros where the image shows nothing of what it lights.
        tests: the names of the tests that it is scored on.
        coarse: whether it is scored at `CELLS` x `CELLS` too, as a network would show it at best.
        scaled: whether each map is divided by its maximum, as min-max does.
    """

    name: str
    failing: str
    draw: Draw
    tests: Sequence[str] = tuple(TESTS)
    coarse: bool = True
    scaled: bool = False

    def map_of(self, truth: ImageTruth, *, cells: bool) -> np.ndarray:
        """Its map of one image, at the image's size or in cells; float32, or a mask, bool."""
        found = self.draw(truth)
        if found.dtype == bool:
            return found
        found = in_cells(found) if cells else found
        return found / found.max() if self.scaled and found.max() > 0 else found


def in_cells(score_map: np.ndarray, cells: int = CELLS) -> np.ndarray:
    """The means of a map (h, w), or a mask's shares, over ``cells`` x ``cells`` cells: float32."""
    return cv2.resize(score_map.astype(np.float32), (cells, cells), interpolation=cv2.INTER_AREA)


def _object(truth: ImageTruth) -> np.ndarray:
    return truth.object.astype(np.float32)


def _blurred_object(truth: ImageTruth) -> np.ndarray:
    return blurred(truth.object)


def _never_silent(truth: ImageTruth) -> np.ndarray:
    """The object; where there is none, the other things: scaled, as bright as any object."""
    return (truth.object if truth.object.any() else truth.things).astype(np.float32)


def _deciding(truth: ImageTruth) -> np.ndarray:
    return truth.region("deciding").astype(np.float32)


def _labelled(truth: ImageTruth) -> np.ndarray:
    return truth.region(*LABELLED).astype(np.float32)


def _things(truth: ImageTruth) -> np.ndarray:
    return truth.things.astype(np.float32)


def _one_blob(truth: ImageTruth) -> np.ndarray:
    """The smallest box around all objects, filled."""
    blob = np.zeros(truth.codes.shape, np.float32)
    if len(truth.boxes):
        x0, y0 = truth.boxes[:, :2].min(axis=0).astype(int)
        x1, y1 = truth.boxes[:, 2:].max(axis=0).astype(int)
        blob[y0:y1, x0:x1] = 1
    return blob


def _largest(truth: ImageTruth) -> np.ndarray:
    """One of the objects alone: that of the largest box, the first of equals."""
    if not len(truth.boxes):
        return np.zeros(truth.codes.shape, np.float32)
    x0, y0, x1, y1 = truth.boxes.astype(int).T
    largest = ((x1 - x0) * (y1 - y0)).argmax()
    alone = np.zeros(truth.codes.shape, np.float32)
    place = slice(y0[largest], y1[largest]), slice(x0[largest], x1[largest])
    alone[place] = truth.object[place]
    return alone


def _one_size(truth: ImageTruth) -> np.ndarray:
    """A Gaussian in the middle of each box, as wide whatever the box: at any threshold of one size."""
    height, width = truth.codes.shape
    y, x = np.mgrid[:height, :width] + 0.5
    blob = np.zeros((height, width), np.float32)
    for x0, y0, x1, y1 in truth.boxes:
        square = (x - (x0 + x1) / 2) ** 2 + (y - (y0 + y1) / 2) ** 2
        blob = np.maximum(blob, np.exp(-square / (2 * (ONE_SIZE * width) ** 2)).astype(np.float32))
    return blob


def _context(truth: ImageTruth) -> np.ndarray:
    return truth.region("context").astype(np.float32)


def _object_and_context(truth: ImageTruth) -> np.ndarray:
    return (truth.object | truth.region("context")).astype(np.float32)


def _random_cells(truth: ImageTruth) -> np.ndarray:
    """Numbers from 0 to 1, drawn by the image's id: the same in every run."""
    draws = np.random.default_rng(zlib.crc32(truth.image_id.encode()))
    return draws.random((CELLS, CELLS), np.float32)


def _whole(truth: ImageTruth) -> np.ndarray:
    return np.ones((1, 1), bool)


def of_image(source: str) -> Draw:
    """A registered source of maps that needs no model."""
    maps = map_source(source)
    assert isinstance(maps, ImageMaps)
    return lambda truth: maps.read(truth.path, truth.codes.shape[0])


def _nothing_wrong() -> list[Control]:
    return [
        Control("object mask", "", _object),
        Control("object mask, blurred", "soft edges", _blurred_object),
    ]


def _one_error_each() -> list[Control]:
    return [
        Control("object + distractors", "lights anything", _things),
        Control("all labelled objects", "knows no class", _labelled, ("company",)),
        Control("blobs of one size", "shows no size", _one_size, ("scale",)),
        Control("one blob over all objects", "merges what is several", _one_blob, ("several",)),
        Control("one object of several", "finds one alone", _largest, ("several",)),
        Control("object mask, min-max", "cannot say no", _never_silent, ("none",), scaled=True),
        Control("deciding part", "lights no more than decides", _deciding, ("parts",)),
        Control("context", "lights the context", _context, ("context",)),
        Control("object + context", "lights the context too", _object_and_context, ("context",)),
    ]


def _no_truth() -> list[Control]:
    return [
        Control("image intensity", "lights what is bright", of_image("intensity"), coarse=False),
        Control("blurred intensity", "the same", of_image("intensity:blurred"), coarse=False),
        Control(
            "largest bright component",
            "lights one bright thing",
            of_image("intensity:component"),
            coarse=False,
        ),
        Control("random cells", "knows nothing", _random_cells, coarse=False),
        Control("whole image", "knows nothing", _whole, coarse=False),
        Control("centred box", "knows where objects stand", of_image("center"), coarse=False),
    ]


CONTROLS: tuple[Control, ...] = (*_nothing_wrong(), *_one_error_each(), *_no_truth())
