"""Overlays as a table: a row of the board a line, an image a column, so that rows compare."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from wsol.report.gallery import StoredTile, pick, read_gallery
from wsol.report.row_style import Shown

READING = """<p>The same images for every row: the first half at random, the second where rows disagree
most. Heat is the score map, <b class="true">green</b> the true box, <b class="predicted">blue</b> the
predicted one at the row's threshold, the number its IoU.</p>"""


def overlays(rows: Sequence[Shown], folder: Path) -> str:
    """The galleries of the rows' first seeds under ``folder``; nothing where none was kept."""
    galleries = [read_gallery(folder, shown.row.records[0].run_id) for shown in rows]
    images = pick(galleries)
    if not images:
        return ""
    samples = [next(gallery[image] for gallery in galleries if image in gallery) for image in images]
    strips = [_strip("Image", "", "", [_picture(tile, tile.image, tile.title) for tile in samples])]
    for shown, gallery in zip(rows, galleries, strict=True):
        if gallery:
            tiles = [_scored(gallery[image]) if image in gallery else "<td></td>" for image in images]
            strips.append(_strip(shown.name, shown.classes, shown.anchor, tiles))
    table = f'<table class="gallery">{"".join(strips)}</table>'
    return f'<h3>Overlays</h3>{READING}<div class="wide">{table}</div>'


def _strip(name: str, classes: str, anchor: str, tiles: Sequence[str]) -> str:
    head = f'<th scope="row"><i class="swatch"></i>{escape(name)}</th>'
    return f'<tr class="{classes}" data-row="{anchor}">{head}{"".join(tiles)}</tr>'


def _scored(tile: StoredTile) -> str:
    if tile.iou is None:
        return _picture(tile, tile.overlay, "")
    return _picture(tile, tile.overlay, f"{tile.iou:.2f}", "up" if tile.iou >= 0.5 else "down")


def _picture(tile: StoredTile, file: Path, caption: str, kind: str = "") -> str:
    content = base64.b64encode(file.read_bytes()).decode("ascii")
    title = escape(f"{tile.image_id} {tile.title}".strip())
    return (
        f'<td><img src="data:image/jpeg;base64,{content}" alt="{title}" title="{title}">'
        f'<small class="{kind}">{escape(caption)}</small></td>'
    )
