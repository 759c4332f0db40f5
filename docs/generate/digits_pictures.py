"""Draw a contact sheet of each test of digits: ``python docs/generate/digits_pictures.py [TEST ...]``.

Each sheet shows test images at seed 0 with their true boxes, and below each image the part codes of its
pixels in colours; a row for each of some settings of the test's dial. All of it is read from manifests
that are prepared for it, as anyone's are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pictures import FAINT, GAP, INK, MARGIN, PAPER, PICTURES, save
from PIL import Image, ImageDraw, ImageFont

from wsol.data.digits.tests import TESTS
from wsol.data.inspection.contact_sheet import BOX, GROUND, TEXT, box_names
from wsol.data.layouts import DATASETS
from wsol.data.manifest.manifest import Manifest, ManifestSplit
from wsol.data.prepare import prepare
from wsol.files.pictures.images import open_codes
from wsol.scores.samples import Annotation

LARGEST = 150_000  # bytes of a sheet
ACROSS, ENLARGED = 10, 3  # images a row; each pixel becomes so many by so many
TITLE, HEADING, CAPTION, LEGEND, FRAME = 50, 34, 30, 44, 3
BIG, SMALL = ImageFont.load_default(34), ImageFont.load_default(22)

# Of each part by its name; colour-blind people tell them apart too (Okabe and Ito 2008).
COLOURS = {
    "object": (230, 159, 0),
    "deciding": (230, 159, 0),
    "rest": (240, 228, 66),
    "distractor": (86, 180, 233),
    "companion": (0, 158, 115),
    "context": (120, 74, 100),
}


@dataclass(frozen=True)
class Sheet:
    """What is drawn of a test: settings of its options, a row each, and which of the images."""

    rows: Sequence[Mapping[str, float | int | str]] = ({},)
    places: Sequence[int] = field(default_factory=lambda: range(ACROSS))


SHEETS = {
    "base": Sheet(({"distractors": 2}, {"distractors": 4})),
    "company": Sheet(({"companions": 1}, {"companions": 2})),
    # Seven images a size, one a class, five sizes: two of each size, of other classes in turn.
    "scale": Sheet(places=[column // 2 * 7 + column % 7 for column in range(ACROSS)]),
    "several": Sheet(({"spacing": "apart"}, {"spacing": "touching"})),
    "none": Sheet(),
    "parts": Sheet(({"share": 0.25}, {"share": 0.75})),
    "context": Sheet(({"texture": "correlated"}, {"texture": "uncorrelated"})),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the sheets; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tests", nargs="*", metavar="TEST", help=f"of {', '.join(SHEETS)}; default: all")
    parser.add_argument("--output", type=Path, default=PICTURES, help="folder for the pictures")
    arguments = parser.parse_args(argv)
    if unknown := [name for name in arguments.tests if name not in SHEETS]:
        parser.error(f"no such test: {', '.join(unknown)}")
    for name in arguments.tests or SHEETS:
        # Undithered, so that enlarged pixels stay squares of one colour, which compress well.
        drawn = sheet(name).quantize(256, kmeans=1, dither=Image.Dither.NONE)
        save(drawn, arguments.output / f"digits-{name}.png", LARGEST)
    return 0


def sheet(name: str) -> Image.Image:
    """The contact sheet of the test ``name``."""
    shown = SHEETS[name]
    with tempfile.TemporaryDirectory() as folder:
        splits = [_split(name, options, Path(folder) / str(at)) for at, options in enumerate(shown.rows)]
        rows = [_row(split, shown.places) for split in splits]
    heights = [HEADING + row.height for row in rows]
    canvas = Image.new("RGB", (rows[0].width + 2 * MARGIN, TITLE + sum(heights) + LEGEND), PAPER)
    draw, top = ImageDraw.Draw(canvas), TITLE
    draw.text((MARGIN, 8), f"{name}: {TESTS[name].exposes}", INK, BIG)
    for split, row in zip(splits, rows, strict=True):
        draw.text((MARGIN, top + 2), _setting(split), FAINT, SMALL)
        canvas.paste(row, (MARGIN, top + HEADING))
        top += HEADING + row.height
    _legend(draw, splits[0].manifest.part_names, top)
    return canvas


def _split(name: str, options: Mapping[str, float | int | str], folder: Path) -> ManifestSplit:
    count = max(SHEETS[name].places) + 1
    own = DATASETS.get("digits").options(test=name, train=0, val=0, images=count, **options)
    prepare("digits", None, folder, options=own)
    return Manifest.read(folder).split("test")


def _setting(split: ManifestSplit) -> str:
    """The options of the images in words: the dial of each."""
    drawn = split.manifest.drawn
    told = [f"--{name} {value}" for name, value in drawn["options"].items()]
    return " ".join(["wsol prepare digits --test", drawn["test"], *told])


def _row(split: ManifestSplit, places: Sequence[int]) -> Image.Image:
    """The images at ``places`` side by side, the class under each, and then the parts of each."""
    annotations = split.annotations()
    side = int(split.sizes[0][0]) * ENLARGED
    row = Image.new("RGB", (len(places) * (side + GAP) - GAP, 2 * side + CAPTION), PAPER)
    draw = ImageDraw.Draw(row)
    for column, place in enumerate(places):
        annotation = annotations[split.image_ids[place]]
        pixels = np.asarray(Image.open(split.paths[place]).convert("RGB"))
        left = column * (side + GAP)
        names = box_names(annotation, split.classes)
        row.paste(_framed(pixels, annotation, BOX, names), (left, 0))
        row.paste(_framed(_coloured(annotation), annotation, TEXT), (left, side + CAPTION))
        word = split.classes[annotation.label] if annotation.label >= 0 else "no object"
        draw.text((left + side // 2, side + CAPTION // 2), word, INK, SMALL, anchor="mm")
    return row


def _coloured(annotation: Annotation) -> np.ndarray:
    """(height, width, 3) uint8: each part in its colour, the ground dark."""
    codes = open_codes(annotation.parts)
    coloured = np.full((*codes.shape, 3), GROUND, np.uint8)
    for code, name in annotation.part_names.items():
        coloured[codes == code] = COLOURS[name]
    return coloured


def _framed(
    pixels: np.ndarray, annotation: Annotation, colour: tuple[int, int, int], names: Sequence[str] = ()
) -> Image.Image:
    """The picture enlarged, its boxes framed from outside, so that the frames hide nothing within."""
    picture = Image.fromarray(pixels.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1))
    draw = ImageDraw.Draw(picture)
    for number, box in enumerate((annotation.boxes * ENLARGED).astype(int).tolist()):
        x0, y0 = (max(0, value - FRAME) for value in box[:2])
        x1, y1 = (min(picture.width, value + FRAME) - 1 for value in box[2:])
        draw.rectangle((x0, y0, x1, y1), outline=colour, width=FRAME)
        if number < len(names) and names[number]:
            # Above the box, or within it where the picture ends; never past the picture's right side.
            left = min(x0 + 2, picture.width - round(draw.textlength(names[number], SMALL)) - 4)
            anchor = "lb" if y0 > CAPTION else "lt"
            draw.text((left, y0), names[number], TEXT, SMALL, anchor, stroke_width=2, stroke_fill=GROUND)
    return picture


def _legend(draw: ImageDraw.ImageDraw, names: Mapping[int, str], top: int) -> None:
    """What the frames and the colours say."""
    parts = [(COLOURS[part], f"code {code}: {part}") for code, part in names.items()]
    x = MARGIN
    for colour, text in ((BOX, "true box"), *parts):
        fill = PAPER if colour == BOX else colour
        draw.rectangle((x, top + 12, x + 24, top + 32), fill, colour, FRAME)
        draw.text((x + 34, top + 8), text, FAINT, SMALL)
        x += 34 + round(draw.textlength(text, SMALL)) + 40


if __name__ == "__main__":
    sys.exit(main())
