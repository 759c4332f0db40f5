"""The images of a diagnosis on disk: a manifest for each test at one setting of its dial."""

from __future__ import annotations

from pathlib import Path

from wsol.data.digits.tests import DigitsSet
from wsol.data.layouts.digits import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare
from wsol.progress import say

SMALL = {"train": 140, "val": 70, "images": 140}


def folder_of(images: DigitsSet, output: Path) -> Path:
    """Where the manifest of these images lies in ``output``."""
    return output / "manifests" / images.variant.replace(" ", "-")


def drawn_images(images: DigitsSet, output: Path, *, small: bool = False, seed: int = 0) -> Manifest:
    """The manifest of these images, drawn where it is missing; ``small``: few of each split.

    ``seed`` is the generator's: an ``output`` is of one of them.
    """
    folder = folder_of(images, output)
    if not folder.exists():
        say(f"drawing digits {images.variant}")
        sizes = SMALL if small else {}
        options = LAYOUT.options(test=images.test.name, **images.options, **sizes, seed=seed)
        prepare("digits", None, folder, options=options)
    return Manifest.read(folder)
