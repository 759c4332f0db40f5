"""Overlays as a table: a row of the board a line, an image a column, so that rows compare."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wsol.report.gallery import StoredTile, pick, read_gallery
from wsol.report.row_style import RowStyle

# From this IoU on a box is right under the oldest convention; the page colours the number by it.
RIGHT_IOU = 0.5


@dataclass(frozen=True)
class Picture:
    """A JPEG in base64, its ``title``, and a ``caption`` coloured by ``kind``: up, down or empty."""

    jpeg: str
    title: str
    caption: str
    kind: str = ""


@dataclass(frozen=True)
class Strip:
    """The overlays of a row, None where it has none of an image."""

    style: RowStyle
    pictures: tuple[Picture | None, ...]


@dataclass(frozen=True)
class OverlayTable:
    """The ``images`` without any map, and a strip for each row that kept overlays."""

    images: tuple[Picture, ...]
    strips: tuple[Strip, ...]


def overlay_table(styles: Sequence[RowStyle], folder: Path) -> OverlayTable | None:
    """The galleries of the rows' first seeds under ``folder``; None where none was kept."""
    galleries = [read_gallery(folder, style.row.records[0].run_id) for style in styles]
    images = pick(galleries)
    if not images:
        return None
    samples = [next(gallery[image] for gallery in galleries if image in gallery) for image in images]
    strips = [
        Strip(style, tuple(_scored(gallery[image]) if image in gallery else None for image in images))
        for style, gallery in zip(styles, galleries, strict=True)
        if gallery
    ]
    plain = tuple(Picture(_base64(tile.image), _title(tile), tile.title) for tile in samples)
    return OverlayTable(plain, tuple(strips))


def _scored(tile: StoredTile) -> Picture:
    if tile.iou is None:
        return Picture(_base64(tile.overlay), _title(tile), "")
    kind = "up" if tile.iou >= RIGHT_IOU else "down"
    return Picture(_base64(tile.overlay), _title(tile), f"{tile.iou:.2f}", kind)


def _title(tile: StoredTile) -> str:
    return f"{tile.image_id} {tile.title}".strip()


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode("ascii")
