"""digits: embedded tests that each isolate one failure of weak supervision; no download.

Handwritten digits 0 to 6 are the classes; 7, 8 and 9 are things of no class, alike in ink, size and
brightness. There are three training sets (base, parts, context) and seven tests over them, each with a
dial; boxes, masks and part codes are exact. One call makes one manifest, of a test at one setting of its
dial. Every step is integer arithmetic on raw PCG64 words, so the files have the same bytes on every
machine.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from wsol.data.digits.drawing import Drawn, draw
from wsol.data.digits.draws import Draws
from wsol.data.digits.material import SPLITS, glyphs, textures
from wsol.data.digits.scene import NOTHING, Scene
from wsol.data.digits.scenes import SMALLEST, scene
from wsol.data.digits.tests import (
    GENERATOR,
    TAUGHT,
    TESTS,
    VERSION,
    DigitsSet,
    digits_set,
    with_training,
)
from wsol.data.layouts.layout import Layout
from wsol.data.manifest.manifest_draft import DraftBox, DraftClass, DraftImage, ManifestDraft
from wsol.errors import UserError
from wsol.files.pictures.png import grey_png

NAMES = ("zero", "one", "two", "three", "four", "five", "six")
SAMPLE = 8  # pixels of a handwritten digit's side: no object is drawn smaller
LARGEST = 1024
OF_OBJECT = ("object", "deciding", "rest")  # the parts that are of the image's own class
DIALS = tuple(dict.fromkeys(option for test in TESTS.values() for option in test.options))


def add_options(parser: ArgumentParser) -> None:
    """The test, its dial and training, the side and number of images, the seed."""
    parser.add_argument("--test", default="base", help=f"one of {', '.join(TESTS)}")
    for name in DIALS:
        own = {test.name: test.options[name] for test in TESTS.values() if name in test.options}
        told = "; ".join(
            f"{test}: {option.help} ({', '.join(map(str, option.values))}; default {option.default})"
            for test, option in own.items()
        )
        kind = type(next(iter(own.values())).default)
        parser.add_argument(f"--{name}", type=kind, default=None, help=told)
    parser.add_argument(
        "--taught",
        action="store_true",
        help=f"training images of this setting as well ({', '.join(TAUGHT)}): a training set of its own",
    )
    parser.add_argument("--size", type=int, default=64, help="side of the images in pixels")
    parser.add_argument("--train", type=int, default=2500, help="training images")
    parser.add_argument("--val", type=int, default=500, help="val images")
    parser.add_argument("--images", type=int, default=2000, help="test images")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything drawn")


def asked_for(options: Namespace) -> DigitsSet:
    """The test at its dial; ``UserError`` for one that there is not."""
    digits = digits_set(options.test, **{name: getattr(options, name) for name in DIALS})
    return with_training(digits) if options.taught else digits


def folder_of(options: Namespace) -> str:
    """``digits`` for what a recipe without a manifest trains on, otherwise ``digits-parts-0.25``."""
    digits = asked_for(options)
    own = [
        str(value)
        for value, option in zip(digits.options.values(), digits.test.options.values(), strict=True)
        if value != option.default
    ]
    parts = [digits.test.name, *own, *["taught"] * digits.taught]
    return GENERATOR if parts == ["base"] else "-".join([GENERATOR, *parts])


def read(root: Path | None, options: Namespace) -> ManifestDraft:
    """Draft one manifest; its files are drawn when it is written.

    ``UserError`` for an unknown test, a value that a dial does not have, a side too small or too large.
    """
    digits = asked_for(options)
    counts = {"train": options.train, "val": options.val, "test": options.images}
    _check(options.size, counts, options.seed)
    if not digits.trains:
        counts.pop("train")
    if not sum(counts.values()):
        raise UserError(
            f"no image is asked for: the manifest of {digits.variant} is of {', '.join(counts)}"
        )
    counts = {split: count for split, count in counts.items() if count}
    classes = [DraftClass(name, str(digit)) for digit, name in enumerate(NAMES)]
    images: list[DraftImage] = []
    draft = ManifestDraft(GENERATOR, GENERATOR, str(VERSION), None, classes, images)
    draft.variant = digits.variant
    draft.part_names = scene_of(digits, "test", 1, options.size, options.seed)[0].part_names
    # Only there an image shows several classes: each is asked for in turn.
    draft.queries = digits.test.name == "company"
    draft.drawn = {
        "by": f"{GENERATOR} {VERSION}",
        "test": digits.test.name,
        "options": dict(digits.options),
        "training": digits.training,
        "size": options.size,
        "seed": options.seed,
    }
    draft.notes.append(
        f"{options.size} x {options.size} pixels, seed {options.seed}; exposes {digits.test.exposes}"
    )

    def write_files(folder: Path) -> None:
        for split, count in counts.items():
            images.extend(_write_split(folder, digits, split, count, options))

    draft.write_files = write_files
    return draft


LAYOUT = Layout(read, add_options, needs_root=False, folder_of=folder_of)


def _check(size: int, counts: dict[str, int], seed: int) -> None:
    least = -(-SAMPLE * 64 // SMALLEST)
    if not least <= size <= LARGEST:
        raise UserError(
            f"--size {size}: must be from {least}, where the smallest object has the {SAMPLE} pixels of "
            f"a handwritten digit, to {LARGEST}"
        )
    for option, value in zip(
        ("--train", "--val", "--images", "--seed"), (*counts.values(), seed), strict=True
    ):
        if value < 0:
            raise UserError(f"{option} {value}: must not be negative")


def scene_of(digits: DigitsSet, split: str, count: int, size: int, seed: int) -> tuple[Scene, Draws]:
    """The first ``count`` scenes of a split, and the draws to go on with, which are each split's own."""
    train = split == "train"
    # Test images at two settings of a dial are drawn from the same words: alike where the dial allows.
    own = [int(1000 * value) for key, value in digits.training.items() if train and key != "set"]
    draws = Draws(count, seed, digits.test.number, SPLITS.index(split), *own)
    return scene(digits, count, size, draws, train=train), draws


def _write_split(
    folder: Path, digits: DigitsSet, split: str, count: int, options: Namespace
) -> list[DraftImage]:
    """Draw and write one split's files."""
    kinds = ("images",) if split == "train" else ("images", "masks", "parts")
    for kind in kinds:
        (folder / kind / split).mkdir(parents=True)
    drawn_scene, draws = scene_of(digits, split, count, options.size, options.seed)
    found = []
    for drawn in draw(drawn_scene, glyphs(options.seed, split), textures(), options.size, draws):
        for at in range(len(drawn.pixels)):
            found.append(_write_image(folder, drawn_scene, drawn, at, len(found), split))
    return found


def _write_image(
    folder: Path, drawn_scene: Scene, drawn: Drawn, at: int, index: int, split: str
) -> DraftImage:
    name, label = f"{split}/{index:05}.png", int(drawn_scene.labels[index])
    size = (drawn.pixels.shape[1], drawn.pixels.shape[2])
    (folder / "images" / name).write_bytes(grey_png(drawn.pixels[at]))
    image = DraftImage(
        f"{split}_{index:05}",
        f"images/{name}",
        None if label == NOTHING else label,
        split,
        size=size,
    )
    if split == "train":
        return image
    own = [code for code, part in drawn_scene.part_names.items() if part in OF_OBJECT]
    (folder / "parts" / name).write_bytes(grey_png(drawn.parts[at]))
    image = image._replace(parts=f"parts/{name}")
    if label == NOTHING:
        return image
    mask = np.isin(drawn.parts[at], own).astype(np.uint8) * 255
    (folder / "masks" / name).write_bytes(grey_png(mask))
    boxes = tuple(
        _box(box, int(drawn_scene.instance_labels[index, instance]), instance, image.path)
        for instance, box in enumerate(drawn.boxes[at].tolist())
        if box[2] > box[0]
    )
    return image._replace(boxes=boxes, masks=((f"masks/{name}", ""),))


def _box(box: list[int], label: int, instance: int, where: str) -> DraftBox:
    x0, y0, x1, y1 = (float(value) for value in box)
    return DraftBox((x0, y0, x1, y1), (x0, y0, x1, y1), where, label, instance)
