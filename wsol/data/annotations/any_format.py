"""Annotations of whatever format, by image: COCO JSON, VOC XML, CSV tables, mask PNGs."""

from __future__ import annotations

from pathlib import Path

from wsol.data.annotations.annotated import AnnotatedImage
from wsol.data.annotations.annotation_masks import read_masks
from wsol.data.annotations.annotation_matching import ImageNames, match_images
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.coco import read_coco
from wsol.data.annotations.csv_boxes import read_csv
from wsol.data.annotations.image_listing import (
    LOSSY_MASK_SUFFIXES,
    MASK_SUFFIXES,
    files_below,
    list_images,
)
from wsol.data.annotations.mask_survey import survey_masks
from wsol.data.annotations.shares import refuse_undeclared
from wsol.data.annotations.voc import read_voc, read_voc_files
from wsol.errors import UserError


def read_annotations(
    path: Path | str, images_dir: Path | str | None = None, *, corners: str | None = None
) -> dict[str, AnnotatedImage]:
    """What the file or folder ``path`` says of each image, by the image's name.

    ``path`` is COCO JSON, a CSV table, a VOC XML file or a folder of such, or a folder of mask PNGs.
    With ``images_dir`` the names are the paths of the images there, and annotations of images that are
    not there are left out; without, they are the names as annotated. ``corners`` says how corners are
    written (`BOX_CONVENTIONS`); by default VOC XML is 1-based and inclusive, CSV half-open.
    ``UserError`` lists everything that is wrong with it, a line each.
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
    reading.check()
    return found


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
    images = _read(path, reading)
    refuse_undeclared(path, images, reading)
    return survey_masks(path, images, reading)


def _read(path: Path, reading: AnnotationPass) -> list[AnnotatedImage]:
    if path.is_dir():
        return _read_folder(path, reading)
    suffix = path.suffix.lower()
    if suffix == ".json":
        return read_coco(path, reading)
    if suffix == ".csv":
        return read_csv(path, reading)
    if suffix == ".xml":
        image = read_voc(path, path.stem, reading)
        return [] if image is None else [image]
    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    raise UserError(
        f"{path}: annotations are COCO .json, .csv, VOC .xml, or a folder of .xml or mask .png"
    )


def png_files(root: Path, files: list[str]) -> frozenset[Path]:
    """The files among images below ``root`` that could be masks, resolved: none of them is one."""
    suffixes = (*MASK_SUFFIXES, *LOSSY_MASK_SUFFIXES)
    return frozenset((root / file).resolve() for file in files if file.lower().endswith(suffixes))


def _read_folder(path: Path, reading: AnnotationPass) -> list[AnnotatedImage]:
    """Annotations of the one kind that the folder holds; ``UserError`` where there are several."""
    unreadable: list[str] = []
    suffixes = (".json", ".csv", ".xml", *MASK_SUFFIXES, *LOSSY_MASK_SUFFIXES)
    files = files_below(path, suffixes, unreadable)
    reading.findings += unreadable
    tables = [file for file in files if file.parent == path and _is(file, ".json", ".csv")]
    xml, png = ([file for file in files if _is(file, *kind)] for kind in ((".xml",), MASK_SUFFIXES))
    if not (tables or xml or png):
        png = [file for file in files if _is(file, *LOSSY_MASK_SUFFIXES)]
    masks = [file for file in png if not reading.images or file.resolve() not in reading.images]
    kinds = [*tables, *xml[:1], *masks[:1]]
    if len(kinds) > 1:
        names = ", ".join(file.relative_to(path).as_posix() for file in kinds[:4])
        raise UserError(
            f"{path}: holds annotations of several kinds ({names}): name the .json or .csv file, or a "
            "folder with only the .xml or only the masks"
        )
    if tables:
        return _read(tables[0], reading)
    if xml:
        return read_voc_files(path, xml, reading)
    if masks:
        return read_masks(path, masks, reading.findings)
    if png:
        raise UserError(
            f"{path}: its {png[0].suffix} are the images themselves; name the folder of the masks"
        )
    raise UserError.of(
        unreadable or [f"{path}: holds neither .xml nor .png (or other masks), .json or .csv"]
    )


def _is(file: Path, *suffixes: str) -> bool:
    return file.suffix.lower() in suffixes
