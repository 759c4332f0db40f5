"""Overlays of some images of a run, kept beside the results until the page embeds them.

``<report>/<run_id>/index.json`` lists the tiles; ``N.jpg`` is the overlay and ``N_image.jpg`` the image
with its true boxes alone. The index is written last: a gallery without one is not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from wsol.errors import UserError
from wsol.files.writing.atomic import write_bytes, write_text
from wsol.report.overlay import draw_overlay

SIDE = 256
JPEG_QUALITY = 82

# More than the page shows, so that it can pick images on which rows disagree.
KEPT = 24


@dataclass(frozen=True)
class Tile:
    """One image of a run: ``image`` (H, W, 3) uint8 RGB; ``score_map`` (h, w) or None.

    Boxes are half-open pixels of ``image``: ``predicted_box`` (4,) at the row's threshold, or None;
    ``true_boxes`` (n, 4). ``iou`` in [0, 1] as the protocol counts it; ``title`` names the class.
    """

    image_id: str
    image: np.ndarray
    score_map: np.ndarray | None
    predicted_box: np.ndarray | None
    true_boxes: np.ndarray
    iou: float | None = None
    title: str = ""


@dataclass(frozen=True)
class StoredTile:
    """A tile as the page embeds it: two JPEG files, the IoU and the class."""

    image_id: str
    title: str
    iou: float | None
    overlay: Path
    image: Path


def gallery_images(image_ids: Iterable[str], count: int = KEPT, seed: int = 0) -> list[str]:
    """Which images galleries show: the same for every run of the same images, in whatever order.

    A seeded hash chooses, so that a run on some of the images still shares tiles with one on all.
    """

    def draw(image_id: str) -> bytes:
        return hashlib.sha256(f"{seed}/{image_id}".encode()).digest()

    return sorted(set(image_ids), key=draw)[:count]


def save_gallery(folder: Path | str, run_id: str, tiles: Iterable[Tile]) -> Path:
    """Draw and write the tiles of a run into ``folder/run_id``; returns the index's path."""
    place = Path(folder) / run_id
    (place / "index.json").unlink(missing_ok=True)  # half drawn anew it is not there either
    entries = []
    for number, tile in enumerate(tiles):
        overlay = draw_overlay(
            tile.image, tile.score_map, tile.predicted_box, tile.true_boxes, side=SIDE
        )
        plain = draw_overlay(tile.image, None, None, tile.true_boxes, side=SIDE)
        entry = {"overlay": f"{number}.jpg", "image": f"{number}_image.jpg"}
        write_bytes(place / entry["overlay"], _jpeg(overlay))
        write_bytes(place / entry["image"], _jpeg(plain))
        iou = None if tile.iou is None else round(float(tile.iou), 4)
        entries.append({"image_id": tile.image_id, "title": tile.title, "iou": iou, **entry})
    index = json.dumps(
        {"run_id": run_id, "tiles": entries}, sort_keys=True, indent=1, ensure_ascii=False
    )
    return write_text(place / "index.json", index + "\n")


def read_gallery(folder: Path | str, run_id: str) -> dict[str, StoredTile]:
    """The tiles of a run by image id; empty where none were kept."""
    tiles = _stored_tiles(Path(folder) / run_id)
    return {tile.image_id: tile for tile in tiles if _is_there(tile)}


def has_gallery(place: Path) -> bool:
    """Whether the folder ``place`` holds a whole gallery: an index, and every picture it names."""
    try:
        return (place / "index.json").is_file() and all(map(_is_there, _stored_tiles(place)))
    except UserError:
        return False  # a damaged index is drawn again


def _is_there(tile: StoredTile) -> bool:
    return tile.overlay.is_file() and tile.image.is_file()


def _stored_tiles(place: Path) -> list[StoredTile]:
    """The tiles that the index of a gallery names; none where there is no index."""
    index = place / "index.json"
    if not index.is_file():
        return []
    try:
        entries = json.loads(index.read_text(encoding="utf-8"))["tiles"]
        return [
            StoredTile(
                image_id=str(entry["image_id"]),
                title=str(entry["title"]),
                iou=None if entry["iou"] is None else float(entry["iou"]),
                # Names only: an index may not point the page at other files.
                overlay=place / Path(entry["overlay"]).name,
                image=place / Path(entry["image"]).name,
            )
            for entry in entries
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{index}: not the index of a gallery: {error}; evaluate the run again"
        ) from error


def pick(galleries: Sequence[dict[str, StoredTile]], count: int = 12, seed: int = 0) -> list[str]:
    """Image ids for a page, at most ``count``: half at random, half where the rows disagree most in IoU.

    Only images that the most galleries share are chosen, so that rows compare on the same ones.
    """
    shown: dict[str, list[StoredTile]] = {}
    for gallery in galleries:
        for image_id, tile in gallery.items():
            shown.setdefault(image_id, []).append(tile)
    if not shown:
        return []
    most = max(map(len, shown.values()))
    shared = gallery_images((i for i, tiles in shown.items() if len(tiles) == most), len(shown), seed)
    half = min(count, len(shared)) // 2
    at_random = shared[:half]
    spread = {image_id: _spread(shown[image_id]) for image_id in shared[half:]}
    disputed = sorted(spread, key=lambda image_id: -spread[image_id])
    return [*at_random, *disputed[: count - len(at_random)]]


def _spread(tiles: Sequence[StoredTile]) -> float:
    known = [tile.iou for tile in tiles if tile.iou is not None]
    return float(np.std(known)) if known else 0.0


def _jpeg(picture: np.ndarray) -> bytes:
    done, content = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"no JPEG of a picture of shape {picture.shape}")
    return content.tobytes()
