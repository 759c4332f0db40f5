"""Masks of one's own images: picture files below the root stay where they are, others are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wsol.data.annotations.annotated import AnnotatedObject, union
from wsol.data.annotations.masks.mask_files import MaskFile, VoidOf
from wsol.data.manifest.manifest_folder import IGNORE_MASKS
from wsol.errors import UserError
from wsol.files.pictures.images import image_size
from wsol.files.pictures.picture_files import picture_png


class MaskTable:
    """The rows of masks.csv by image file.

    ``objects`` gives the objects of each annotated image, ``ids`` its id. Where every mask is a picture
    below ``root`` the rows name those files; else (polygons, declared values, files elsewhere) each
    image's union is drawn, ``drawn`` is True, and the rows name files that `draw` makes.
    """

    def __init__(
        self, root: Path, objects: dict[str, list[AnnotatedObject]], ids: dict[str, str], *, exif: bool
    ) -> None:
        self.root, self.objects, self.ids, self.exif = root, objects, ids, exif
        masks = [item.mask for items in objects.values() for item in items if item.mask is not None]
        self.any = bool(masks)
        self.drawn = not all(
            isinstance(mask, MaskFile)
            and mask.path.suffix.lower() != ".npy"
            and mask.path.resolve().is_relative_to(root.resolve())
            for mask in masks
        )

    def rows(self, file: str) -> tuple[tuple[str, str], ...]:
        """Pairs (mask, ignore) of one image, relative to the root, or to the manifest where drawn."""
        items = self.objects.get(file)
        if items is None or not self.any:
            return ()
        if self.drawn:
            name = f"{self.ids[file]}.png"
            scored, ignored = _has_mask(items, ignore=False) or not items, _has_mask(items, ignore=True)
            # Ignore masks have their own folder: a suffix could make one the mask of another image.
            pair = (f"masks/{name}" if scored else "", f"{IGNORE_MASKS}/{name}" if ignored else "")
            return (pair,) if any(pair) else ()
        return tuple(
            ("", self._relative(item)) if item.ignore else (self._relative(item), "")
            for item in items
            if item.mask is not None and not isinstance(item.mask, VoidOf)  # its file tells it by itself
        )

    def draw(self, folder: Path, findings: list[str]) -> None:
        """Draw every mask below ``folder``; what cannot be drawn goes to ``findings``."""
        for file, items in self.objects.items():
            for mask, ignore in self.rows(file):
                try:
                    if mask:
                        self._write(folder / mask, file, [item for item in items if not item.ignore])
                    if ignore:
                        self._write(folder / ignore, file, [item for item in items if item.ignore])
                except UserError as error:
                    findings.append(str(error))
                except FileNotFoundError:
                    findings.append(f"{self.root / file}: the image vanished")

    def _write(self, path: Path, file: str, items: list[AnnotatedObject]) -> None:
        pixels = union([item.mask for item in items if item.mask is not None])
        if pixels is None:
            # The image is known to show no object: with an empty mask, every predicted pixel is wrong.
            pixels = np.zeros(image_size(self.root / file, exif=self.exif), bool)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture_png(pixels.astype(np.uint8) * 255))

    def _relative(self, item: AnnotatedObject) -> str:
        assert isinstance(item.mask, MaskFile)
        return item.mask.path.resolve().relative_to(self.root.resolve()).as_posix()


def _has_mask(items: list[AnnotatedObject], *, ignore: bool) -> bool:
    return any(item.mask is not None and item.ignore == ignore for item in items)
