"""A contact sheet: some images of a data set with their boxes, masks and parts, to be looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.files.pictures.images import open_codes, open_image, open_mask
from wsol.files.pictures.picture_files import picture_png
from wsol.files.writing.atomic import write_bytes
from wsol.scores.samples import Annotation

CAPTION = 14  # pixels below each picture
BOX, MASK, IGNORED = (255, 60, 60), (60, 255, 90), (90, 140, 255)
# Colours of parts, by rising code, which colour-blind people tell apart too (Okabe and Ito 2008).
PARTS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167))
GROUND, TEXT = (24, 24, 24), (235, 235, 235)
T = TypeVar("T")


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

    Boxes are red frames, masks green, what is not scored blue; the caption is class and image id. Where
    an image's boxes are of several classes, each box names its own. Where the manifest names parts of
    objects, these are tinted in colours instead of the masks, and a last line says which is which.
    ``UserError`` names an image or mask that cannot be read.
    """
    rows = choose(split.labels, images, seed)
    annotations = split.annotations()
    height = side + CAPTION
    names = split.manifest.part_names
    bottom = -(-len(rows) // columns) * height
    sheet = Image.new("RGB", (columns * side, bottom + CAPTION * bool(names)), GROUND)
    for place, row in enumerate(rows.tolist()):
        annotation = annotations[split.image_ids[row]]
        picture = draw_annotation(_opened(split, row), annotation, side, split.classes)
        left, top = place % columns * side, place // columns * height
        sheet.paste(picture, (left + (side - picture.width) // 2, top + (side - picture.height) // 2))
        name = split.classes[annotation.label] if annotation.label >= 0 else "no label"
        _caption(sheet, f"{name} | {annotation.image_id}", (left, top + side), side)
    _legend(sheet, names, bottom)
    return write_bytes(path, picture_png(np.asarray(sheet)))


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
        # More classes than pictures: drawn among all classes instead of the first ones.
        chosen = shuffled[turns[shuffled] == 0][:count]
    return chosen[np.argsort(labels[chosen], kind="stable")]


def draw_annotation(
    picture: Image.Image, annotation: Annotation, side: int, classes: Sequence[str] = ()
) -> Image.Image:
    """The picture with parts or masks tinted and boxes framed, scaled to fit ``side`` x ``side``.

    ``classes`` are the names of the labels, for boxes of several classes.
    """
    scale = min(side / picture.width, side / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    pixels = np.asarray(picture.resize(size, Image.Resampling.BOX)).copy()
    for whole, colour in _tinted(annotation):
        mask = Image.fromarray(whole).resize(size, Image.Resampling.NEAREST)
        _tint(pixels, np.asarray(mask), colour)
    drawn = Image.fromarray(pixels)
    draw = ImageDraw.Draw(drawn)
    for (x0, y0, x1, y1), name in zip(
        (annotation.boxes * scale).tolist(), box_names(annotation, classes), strict=True
    ):
        draw.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=BOX, width=2)
        if name:
            place = (x0 + 3, y0 + 2)
            draw.rectangle(draw.textbbox(place, name, _font()), fill=GROUND)
            draw.text(place, name, TEXT, _font())
    return drawn


def box_names(annotation: Annotation, classes: Sequence[str]) -> list[str]:
    """(n,) what is written at each box: its class, where the boxes of the image are of several."""
    labels: list[int] = [] if annotation.box_labels is None else annotation.box_labels.tolist()
    if len({label for label in labels if label >= 0}) < 2:
        return [""] * len(annotation.boxes)
    return [str(classes[label]) if 0 <= label < len(classes) else "" for label in labels]


def _tinted(annotation: Annotation) -> list[tuple[np.ndarray, tuple[int, int, int]]]:
    """(height, width) bool of each region, and its colour."""
    ignored = [(_read(open_mask, path), IGNORED) for path in annotation.ignore]
    if not annotation.parts:
        return [(_read(open_mask, path), MASK) for path in annotation.masks] + ignored
    codes = _read(open_codes, annotation.parts)
    colours = _part_colours(annotation.part_names)
    return [(codes == code, colour) for code, colour in colours.items()] + ignored


def _part_colours(names: Mapping[int, str]) -> dict[int, tuple[int, int, int]]:
    return {code: PARTS[place % len(PARTS)] for place, code in enumerate(sorted(names))}


def _legend(sheet: Image.Image, names: Mapping[int, str], top: int) -> None:
    """The names of the parts in their colours, side by side."""
    draw, left = ImageDraw.Draw(sheet), 2.0
    for code, colour in _part_colours(names).items():
        draw.text((left, top + 1), names[code], colour, _font())
        left += draw.textlength(f"{names[code]}   ", _font())


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


def _read(opener: Callable[[str], T], path: str) -> T:
    try:
        return opener(path)
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
    draw.text((corner[0] + 2, corner[1] + 1), text, TEXT, font)
