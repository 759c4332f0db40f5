"""Annotations of whatever format, by image: what a file is comes first, then what it says."""

from __future__ import annotations

from pathlib import Path

from wsol.data.annotations.annotated import AnnotatedImage
from wsol.data.annotations.annotation_folders import read_folder, read_one
from wsol.data.annotations.annotation_matching import ImageNames, match_images
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.listing.image_listing import (
    LOSSY_MASK_SUFFIXES,
    MASK_SUFFIXES,
    list_images,
)
from wsol.data.annotations.masks.mask_survey import survey_masks
from wsol.data.annotations.shares import in_pixels, refuse_undeclared
from wsol.errors import UserError
from wsol.files.pictures.images import image_size


def read_annotations(
    path: Path | str, images_dir: Path | str | None = None, *, corners: str | None = None
) -> dict[str, AnnotatedImage]:
    """What the file or folder ``path`` says of each image, by the image's name.

    ``path`` is COCO JSON, LabelMe JSON, VOC XML, CVAT XML, YOLO txt, a CSV table, or a folder of one of
    these or of mask PNGs. With ``images_dir`` the names are the paths of the images there, annotations
    of images that are not there are left out, and boxes given as shares become pixels of the image as
    its EXIF tag turns it; without, they are the names as annotated, and shares stay shares. ``corners``
    says how corners are written (`BOX_CONVENTIONS`); by default VOC XML is 1-based and inclusive, the
    others half-open. ``UserError`` lists everything that is wrong with it, a line each.
    """
    path, reading = Path(path), AnnotationPass(corners)
    if images_dir is None:
        found = read_by_name(path, reading)
    else:
        folder = Path(images_dir)
        listed = list_images(folder, annotations=[path])
        reading.findings += listed.findings
        reading.images = png_files(folder, listed.files)
        images = read_source(path, reading)
        found, missing = match_images(ImageNames(listed.files), images, reading.findings)
        if images and len(missing) == len(images):
            reading.findings.append(f"{path}: none of its {len(images)} images is in {images_dir}")
        found = {file: _in_pixels(folder / file, image, reading) for file, image in found.items()}
    reading.check()
    return found


def _in_pixels(path: Path, image: AnnotatedImage, reading: AnnotationPass) -> AnnotatedImage:
    if not image.shares:
        return image
    try:
        return in_pixels(image, image.size or image_size(path, exif=True))
    except FileNotFoundError:
        reading.findings.append(f"{path}: the image vanished")
    except UserError as error:
        reading.findings.append(str(error))
    return image


def read_by_name(path: Path, reading: AnnotationPass) -> dict[str, AnnotatedImage]:
    """Every image that ``path`` annotates, by its name there; a name that occurs twice is a finding."""
    found: dict[str, AnnotatedImage] = {}
    for image in read_source(path, reading):
        if image.file in found:
            reading.findings.append(
                f"{image.where}: {image.file!r} is already in {found[image.file].where}"
            )
        found[image.file] = image
    return found


def read_source(path: Path, reading: AnnotationPass) -> list[AnnotatedImage]:
    """Every image that ``path`` annotates; what is wrong with entries goes to ``reading``.

    ``UserError`` where ``path`` as a whole cannot be read.
    """
    images = read_folder(path, reading) if path.is_dir() else read_one(path, reading)
    refuse_undeclared(path, images, reading)
    return survey_masks(path, images, reading)


def png_files(root: Path, files: list[str]) -> frozenset[Path]:
    """The files among images below ``root`` that could be masks, resolved: none of them is one."""
    suffixes = (*MASK_SUFFIXES, *LOSSY_MASK_SUFFIXES)
    return frozenset((root / file).resolve() for file in files if file.lower().endswith(suffixes))
