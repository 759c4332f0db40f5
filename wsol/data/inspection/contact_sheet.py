"""A contact sheet: some images of a data set with their boxes and masks, to be looked at."""

from __future__ import annotations

import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.files.atomic import write_bytes
from wsol.files.images import open_image, open_mask
from wsol.scores.records import Annotation

CAPTION = 14  # pixels below each picture
BOX, MASK, IGNORED = (255, 60, 60), (60, 255, 90), (90, 140, 255)


def contact_sheet(
    split: ManifestSplit,
    path: Path | str,
    *,
    images: int = 48,
    columns: int = 8,
    side: int = 180,
    seed: int = 0,
) -> Path:
    """Write a PNG of ``images`` drawn from ``split``, classes in turn, each fitted to ``side`` pixels.

    Boxes are red frames, masks green, what is not scored blue; the caption is class and image id.
    ``UserError`` names an image or mask that cannot be read.
    """
    rows = choose(split.labels, images, seed)
    annotations = split.annotations()
    height = side + CAPTION
    sheet = Image.new("RGB", (columns * side, -(-len(rows) // columns) * height), (24, 24, 24))
    for place, row in enumerate(rows.tolist()):
        annotation = annotations[split.image_ids[row]]
        picture = draw_annotation(_opened(split, row), annotation, side)
        left, top = place % columns * side, place // columns * height
        sheet.paste(picture, (left + (side - picture.width) // 2, top + (side - picture.height) // 2))
        name = split.classes[annotation.label] if annotation.label >= 0 else "no label"
        _caption(sheet, f"{name} | {annotation.image_id}", (left, top + side), side)
    content = io.BytesIO()
    sheet.save(content, "PNG")
    return write_bytes(path, content.getvalue())


def choose(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """(min(count, n),) places, seeded: one image of each class, then a second of each, and so on."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    seen: dict[int, int] = {}
    turns = np.empty(len(labels), np.int64)
    for place in shuffled.tolist():
        label = int(labels[place])
        turns[place] = seen[label] = seen.get(label, -1) + 1
    order = np.lexsort((labels, turns))
    chosen = order[:count]
    if count < len(np.unique(labels)):
        # More classes than pictures: some of all, not the first of them.
        chosen = shuffled[turns[shuffled] == 0][:count]
    return chosen[np.argsort(labels[chosen], kind="stable")]


def draw_annotation(picture: Image.Image, annotation: Annotation, side: int) -> Image.Image:
    """The picture with masks tinted and boxes framed, scaled to fit ``side`` x ``side``."""
    scale = min(side / picture.width, side / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    pixels = np.asarray(picture.resize(size, Image.Resampling.BOX)).copy()
    for paths, colour in ((annotation.masks, MASK), (annotation.ignore, IGNORED)):
        for path in paths:
            mask = Image.fromarray(_mask(path)).resize(size, Image.Resampling.NEAREST)
            _tint(pixels, np.asarray(mask), colour)
    drawn = Image.fromarray(pixels)
    draw = ImageDraw.Draw(drawn)
    for x0, y0, x1, y1 in (annotation.boxes * scale).tolist():
        draw.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=BOX, width=2)
    return drawn


def _tint(pixels: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Half colour inside, full colour along the border, in place."""
    inner = mask.copy()
    for axis in (0, 1):
        for step in (1, -1):
            inner &= np.roll(mask, step, axis)
    pixels[mask] = (pixels[mask] // 2 + np.array(colour) // 2).astype(np.uint8)
    pixels[mask & ~inner] = colour


def _opened(split: ManifestSplit, row: int) -> Image.Image:
    try:
        return open_image(split.paths[row], exif=split.manifest.exif)
    except FileNotFoundError:
        raise UserError(f"{split.paths[row]}: missing; a contact sheet needs the image files") from None


def _mask(path: str) -> np.ndarray:
    try:
        return open_mask(path)
    except FileNotFoundError:
        raise UserError(f"{path}: missing") from None


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """DejaVu from matplotlib's files, which knows more scripts than Pillow's own font."""
    spec = find_spec("matplotlib")
    path = Path((spec and spec.origin) or "").parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"
    return ImageFont.truetype(str(path), 10) if path.is_file() else ImageFont.load_default(10)


def _caption(sheet: Image.Image, text: str, corner: tuple[int, int], width: int) -> None:
    draw, font = ImageDraw.Draw(sheet), _font()
    while draw.textlength(text, font) > width - 4:
        text = (
            f"{text[: len(text) // 2 - 1]}~{text[len(text) // 2 + 2 :]}" if len(text) > 8 else text[:-1]
        )
    draw.text((corner[0] + 2, corner[1] + 1), text, (235, 235, 235), font)
