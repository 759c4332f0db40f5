"""clutter: a smoke test, which the pictures' own brightness wins: digits over textures; no download.

Results on it say that things run, not which module is better: `digits` is made for that.

scikit-learn's digits (8 x 8, from the UCI optical recognition set) are scaled up over
scikit-image's photographs of brick, grass and gravel, among fragments of other digits. Every step
is integer arithmetic on raw PCG64 words, so the files have the same bytes on every machine.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsol.data.layouts.layout import Layout
from wsol.data.manifest.manifest_draft import DraftBox, DraftClass, DraftImage, ManifestDraft
from wsol.errors import UserError
from wsol.files.pictures.png import grey_png

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPLITS = ("train", "val", "test")
SHARES = (60, 10, 30)  # percent of the handwritten digits for each split; no digit serves two splits
INK = 16  # the digits' darkest value
VISIBLE = 32  # ink of 256 from which a pixel belongs to the digit
SMALLEST, LARGEST = 32, 512  # the textures are 512 pixels wide


def add_options(parser: ArgumentParser) -> None:
    """Image side, images a split, seed."""
    parser.add_argument("--size", type=int, default=64, help="side of the images in pixels")
    parser.add_argument("--train", type=int, default=1500, help="training images")
    parser.add_argument("--val", type=int, default=300, help="val images")
    parser.add_argument("--test", type=int, default=500, help="test images")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything drawn")


def read(root: Path | None, options: Namespace) -> ManifestDraft:
    """Draft the data set; its files are drawn when the manifest is written."""
    if not SMALLEST <= options.size <= LARGEST:
        raise UserError(f"--size {options.size}: must be from {SMALLEST} to {LARGEST} pixels")
    counts = tuple(getattr(options, split) for split in SPLITS)
    if min(*counts, options.seed) < 0 or not sum(counts):
        raise UserError(
            "--train, --val, --test and --seed must not be negative, and some image is needed"
        )
    images: list[DraftImage] = []
    classes = [DraftClass(name, str(digit)) for digit, name in enumerate(NAMES)]

    def write_files(folder: Path) -> None:
        images.extend(_write_images(folder, options.size, counts, options.seed))

    draft = ManifestDraft("clutter", "clutter", "1", None, classes, images)
    draft.write_files = write_files
    draft.notes.append(f"{options.size} x {options.size} pixels, seed {options.seed}")
    return draft


LAYOUT = Layout(read, add_options, needs_root=False)


class Draws:
    """Whole numbers from raw PCG64 words, whose stream NumPy keeps fixed across versions."""

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(seed))

    def below(self, end: int) -> int:
        """A number from 0 to ``end`` - 1."""
        return ((int(self._bits.random_raw()) >> 32) * end) >> 32

    def between(self, first: int, last: int) -> int:
        """A number from ``first`` to ``last``, both included."""
        return first + self.below(last - first + 1)


@dataclass(frozen=True)
class Source:
    """What images are made of: ``digits`` (n, 8, 8) int64 in 0..16, ``by_class`` the samples of each."""

    digits: np.ndarray
    by_class: list[np.ndarray]
    textures: list[np.ndarray]


def sources(seed: int) -> list[Source]:
    """The material of each split; no handwritten sample serves two splits."""
    from skimage import data as photographs
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    digits = np.asarray(pixels).astype(np.int64).reshape(-1, 8, 8)
    labels = np.asarray(labels)
    draws = Draws(seed, len(SPLITS))
    order = np.argsort([draws.below(2**32) for _ in digits], kind="stable")
    ends = np.cumsum(SHARES) * len(digits) // 100
    textures = [
        texture().astype(np.int64)
        for texture in (photographs.brick, photographs.grass, photographs.gravel)
    ]
    return [
        Source(digits, [part[labels[part] == digit] for digit in range(10)], textures)
        for part in np.split(order, ends[:-1])
    ]


def draw_image(source: Source, digit: int, size: int, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """One image and its mask, (size, size) uint8; the mask is 255 where the ink is an eighth or more."""
    texture = source.textures[draws.below(len(source.textures))]
    top, left = (draws.below(side - size + 1) for side in texture.shape)
    darkness = draws.between(26, 128)  # of 256: a tenth to a half of the photograph's light
    canvas = texture[top : top + size, left : left + size] * darkness // 256
    for _ in range(draws.between(3, 6)):
        fragment = _fragment(source, size, draws)
        y, x = (draws.below(size - side + 1) for side in fragment.shape)
        _paint(canvas, fragment, y, x, draws.between(160, 255))
    ink = _scaled_digit(source, digit, size, draws)
    y, x = (draws.below(size - side + 1) for side in ink.shape)
    _paint(canvas, ink, y, x, draws.between(160, 255))
    mask = np.zeros((size, size), np.uint8)
    mask[y : y + ink.shape[0], x : x + ink.shape[1]][ink >= VISIBLE] = 255
    return canvas.astype(np.uint8), mask


def enlarge(digit: np.ndarray, side: int) -> np.ndarray:
    """Bilinear enlargement of a square with half-pixel centres, exact in integers: 0..16 to 0..256."""
    n = len(digit)
    # Output pixel i lies at ((2 i + 1) n - side) / (2 side) in source pixels, edges repeated.
    position = np.clip((2 * np.arange(side) + 1) * n - side, 0, 2 * side * (n - 1))
    low, part = np.divmod(position, 2 * side)
    high = np.minimum(low + 1, n - 1)
    rows = digit[low] * (2 * side - part)[:, None] + digit[high] * part[:, None]
    both = rows[:, low] * (2 * side - part) + rows[:, high] * part
    return both * (256 // INK) // (2 * side) ** 2


def _scaled_digit(source: Source, digit: int, size: int, draws: Draws) -> np.ndarray:
    """Ink 0..256 of a handwritten sample, 22 to 40 pixels in an image of 64, cropped to its ink."""
    samples = source.by_class[digit]
    sample = source.digits[samples[draws.below(len(samples))]]
    ink = enlarge(sample, draws.between(size * 22 // 64, size * 40 // 64))
    inked = ink >= VISIBLE
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _fragment(source: Source, size: int, draws: Draws) -> np.ndarray:
    """A piece of some digit, 6 to 12 pixels in an image of 64: strokes that are no digit."""
    ink = _scaled_digit(source, draws.below(10), size, draws)
    height, width = (min(side, draws.between(size * 6 // 64, size * 12 // 64)) for side in ink.shape)
    y, x = draws.below(ink.shape[0] - height + 1), draws.below(ink.shape[1] - width + 1)
    return ink[y : y + height, x : x + width]


def _paint(canvas: np.ndarray, ink: np.ndarray, y: int, x: int, brightness: int) -> None:
    """Lay ``ink`` (0..256, its share of the light) over the canvas."""
    place = canvas[y : y + ink.shape[0], x : x + ink.shape[1]]
    place[:] = (place * (256 - ink) + brightness * ink) // 256


def _write_images(folder: Path, size: int, counts: tuple[int, ...], seed: int) -> list[DraftImage]:
    images = []
    for number, (split, count, source) in enumerate(zip(SPLITS, counts, sources(seed), strict=True)):
        (folder / "images" / split).mkdir(parents=True)
        if split != "train":
            (folder / "masks" / split).mkdir(parents=True)
        for index in range(count):
            # Each image has its own generator: asking for more images changes none of the others.
            pixels, mask = draw_image(source, index % 10, size, Draws(seed, number, index))
            path = f"images/{split}/{index:05}.png"
            (folder / path).write_bytes(grey_png(pixels))
            image = DraftImage(f"{split}_{index:05}", path, index % 10, split, size=(size, size))
            if split != "train":
                mask_path = f"masks/{split}/{index:05}.png"
                (folder / mask_path).write_bytes(grey_png(mask))
                image = image._replace(boxes=(_box(mask, path),), masks=((mask_path, ""),))
            images.append(image)
    return images


def _box(mask: np.ndarray, where: str) -> DraftBox:
    """The tightest half-open box of the mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return DraftBox(box, box, where)
