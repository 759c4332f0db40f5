"""Draw the pictures of the README and the site: ``python docs/generate/pictures.py demo/results``.

The folder is what ``make demo`` (or ``wsol demo --output demo``) leaves. ``overlays.png`` shows the same
four test images for each of the demo's rows; ``report.png`` is the top of its report in a browser
without a window (``--browser``, or Chromium or Chrome where it is found; without one, the picture is
left out and that is said).
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from wsol.board import read_board
from wsol.errors import UserError
from wsol.files.writing.atomic import write_bytes
from wsol.report.gallery import StoredTile, pick, read_gallery
from wsol.report.overlay import PREDICTED_COLOR, TRUE_COLOR

PICTURES = Path(__file__).resolve().parents[1] / "pictures"
LARGEST = 250_000  # bytes of a picture

# What is shown of each row: its attention in the recipe, and whether its own maps or CAMs localize.
SHOWN = {
    "CAM": ("none", "cam"),
    "RFGA": ("rfga", "cam"),
    "TDAM": ("tdam", "cam"),
    "LTPA": ("ltpa", "attention"),
}
IMAGES = 4

WIDTH, MARGIN, GAP, BETWEEN = 1200, 16, 4, 22  # of the overlays, in pixels
HEADING, LEGEND = 42, 40
INK, FAINT, PAPER = (31, 41, 51), (97, 110, 124), (255, 255, 255)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WINDOW = (1280, 1860)


def main(argv: Sequence[str] | None = None) -> int:
    """Draw both pictures; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path, help="the results folder of wsol demo")
    parser.add_argument("--output", type=Path, default=PICTURES, help="folder for the pictures")
    parser.add_argument("--browser", default="", help="a Chromium or Chrome; default: the one found")
    arguments = parser.parse_args(argv)
    try:
        galleries = demo_galleries(arguments.results)
        save(overlays(galleries), arguments.output / "overlays.png")
        page = arguments.results / "report.html"
        browser = arguments.browser or next(filter(None, map(shutil.which, BROWSERS)), "")
        if browser:
            save(screenshot(page, browser), arguments.output / "report.png")
        else:
            print(f"report.png: left out, none of {', '.join(BROWSERS)} is here; name one by --browser")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def demo_galleries(results: Path) -> dict[str, dict[str, StoredTile]]:
    """The tiles of each row of ``SHOWN`` by image; ``UserError`` where one has no tiles."""
    galleries = {}
    for title, (attention, source) in SHOWN.items():
        for row in read_board(results).rows:
            if row["attention"] == attention and str(row["maps"]).partition(":")[0] == source:
                galleries[title] = read_gallery(results / "report", row.records[0].run_id)
        if not galleries.get(title):
            raise UserError(f"{results}: no overlays of {title} there: make them by wsol demo")
    return galleries


def overlays(galleries: dict[str, dict[str, StoredTile]]) -> Image.Image:
    """A panel a row with the same images in each: two at random, two on which the rows disagree."""
    images = pick(list(galleries.values()), IMAGES)
    panel = (WIDTH - 2 * MARGIN - BETWEEN * (len(galleries) - 1)) // len(galleries)
    side = (panel - GAP) // 2
    height = MARGIN + HEADING + 2 * side + GAP + LEGEND + MARGIN // 2
    canvas = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(canvas)
    for number, (title, tiles) in enumerate(galleries.items()):
        left, top = MARGIN + number * (panel + BETWEEN), MARGIN + HEADING
        draw.text((left, MARGIN - 4), title, INK, font=ImageFont.load_default(30))
        for place, image_id in enumerate(images):
            tile = Image.open(tiles[image_id].overlay).convert("RGB")
            x, y = left + place % 2 * (side + GAP), top + place // 2 * (side + GAP)
            canvas.paste(tile.resize((side, side), Image.Resampling.LANCZOS), (x, y))
    _legend(draw, height - LEGEND)
    return canvas


def _legend(draw: ImageDraw.ImageDraw, top: int) -> None:
    """What the colours of the boxes say."""
    font, x = ImageFont.load_default(20), MARGIN
    for color, text in ((TRUE_COLOR, "true box"), (PREDICTED_COLOR, "box read from the score map")):
        draw.rectangle((x, top + 9, x + 22, top + 25), outline=color, width=4)
        draw.text((x + 32, top + 4), text, FAINT, font=font)
        x += 32 + round(draw.textlength(text, font)) + 36


def screenshot(page: Path, browser: str) -> Image.Image:
    """The top of ``page`` as ``browser`` shows it, in a window of ``WINDOW``."""
    if not page.is_file():
        raise UserError(f"{page}: no such page: wsol report --results {page.parent} writes it")
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
            f"--window-size={WINDOW[0]},{WINDOW[1]}",
            f"--screenshot={shot}",
            # Chromium refuses to sandbox for root, as in a container.
            *(["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []),
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UserError(f"{browser}: {error}") from error
        if not shot.is_file():
            raise UserError(
                f"{browser} made no picture: {(done.stderr.splitlines() or ['no word'])[-1]}"
            )
        return Image.open(shot).convert("RGB")


def save(picture: Image.Image, path: Path, largest: int = LARGEST) -> None:
    """Write a PNG of at most ``largest`` bytes, with as many colours as that allows; says its size."""
    content = io.BytesIO()
    for colors in (None, 256, 128, 64, 32):
        content = io.BytesIO()
        (_reduced(picture, colors) if colors else picture).save(content, "PNG", optimize=True)
        if len(content.getvalue()) <= largest:
            break
    write_bytes(path, content.getvalue())
    print(f"{path}: {picture.width} x {picture.height}, {len(content.getvalue()) // 1000} kB")


def _reduced(picture: Image.Image, colors: int) -> Image.Image:
    palette = picture.quantize(colors, kmeans=2)
    return picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


if __name__ == "__main__":
    sys.exit(main())
