"""Boxes given as shares of the image's sides, in pixels: where the image's size comes from."""

from __future__ import annotations

from pathlib import Path

from wsol.data.annotations.annotated import AnnotatedImage
from wsol.data.annotations.annotation_matching import ImageNames
from wsol.data.annotations.listing.image_listing import list_images
from wsol.data.annotations.shares import in_pixels
from wsol.errors import UserError
from wsol.files.pictures.images import image_size


class PixelSizes:
    """Sizes of images from the annotations, else from the files in ``folder``: headers only."""

    def __init__(self, folder: Path | None = None, *, exif: bool = True) -> None:
        self._folder, self._exif = folder, exif
        self.in_shares = 0  # images that stayed so
        self._names = None if folder is None else ImageNames(list_images(folder).files)

    def in_pixels(
        self, name: str, predicted: AnnotatedImage, true: AnnotatedImage
    ) -> tuple[AnnotatedImage, AnnotatedImage]:
        """Both sides of the image ``name`` with their boxes in pixels.

        The size is the side's own, the other's, that of a mask, or the file's. Where both are in shares
        and nothing tells it, they stay shares: IoU does not change with the length of a side.

        Raises:
            UserError: one side is in shares, and nothing tells the size; its image cannot be read.
        """
        if not (predicted.shares or true.shares):
            return predicted, true
        shared = true.size or predicted.size or _of_mask(true) or _of_mask(predicted) or self._file(name)
        if shared is None:
            if predicted.shares and true.shares:
                self.in_shares += 1
                return predicted, true
            side = predicted if predicted.shares else true
            raise UserError(
                f"{side.where}: boxes are shares of an image whose size nothing tells; name the folder "
                "of the images by --images"
            )
        return (
            in_pixels(predicted, predicted.size or shared),
            in_pixels(true, true.size or shared),
        )

    def _file(self, name: str) -> tuple[int, int] | None:
        if self._names is None or self._folder is None:
            return None
        _, fits = self._names.find(name)
        if len(fits) != 1:
            found = f"may be {fits[0]} or {fits[1]}" if fits else "is not there"
            raise UserError(f"{self._folder}: the image {name!r} {found}; its size is needed")
        return image_size(self._folder / fits[0], exif=self._exif)


def _of_mask(image: AnnotatedImage) -> tuple[int, int] | None:
    mask = next((item.mask for item in image.objects if item.mask is not None), None)
    if mask is None:
        return None
    height, width = mask.pixels().shape
    return height, width
