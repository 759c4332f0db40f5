"""Annotations of whatever format, by image: COCO JSON, VOC XML, CSV tables, mask PNGs."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from wsol.data.annotated import AnnotatedImage
from wsol.data.annotation_masks import read_mask_folder
from wsol.data.annotations_coco import read_coco
from wsol.data.annotations_csv import read_csv
from wsol.data.annotations_voc import read_voc, read_voc_folder
from wsol.data.corners import RULES
from wsol.errors import UserError, suggest

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm")
# Beside or below images, these hold no images.
MASK_FOLDERS = ("masks", "GroundTruth", "SegmentationClass", "SegmentationObject")


def read_annotations(
    path: Path | str, images_dir: Path | str | None = None, *, corners: str | None = None
) -> dict[str, AnnotatedImage]:
    """What the file or folder ``path`` says of each image, by the image's name.

    ``path`` is COCO JSON, a CSV table, a VOC XML file or a folder of such, or a folder of mask PNGs.
    With ``images_dir`` the names are the paths of the images there, and annotations of images that are
    not there are left out; without, they are the names as annotated. ``corners`` says how corners are
    written (`corners.RULES`); by default VOC XML is 1-based and inclusive, CSV half-open.
    ``UserError`` lists everything that is wrong with it, a line each.
    """
    findings: list[str] = []
    images = read_source(Path(path), corners, findings)
    if images_dir is None:
        found: dict[str, AnnotatedImage] = {}
        for image in images:
            if image.file in found:
                findings.append(f"{image.where}: {image.file!r} is already in {found[image.file].where}")
            found[image.file] = image
    else:
        found, missing = match_images(list_images(Path(images_dir)), images, findings)
        if images and len(missing) == len(images):
            findings.append(f"{path}: none of its {len(images)} images is in {images_dir}")
    if findings:
        raise UserError.of(findings)
    return found


def read_source(path: Path, corners: str | None, findings: list[str]) -> list[AnnotatedImage]:
    """Every image that ``path`` annotates; what is wrong with entries goes to ``findings``.

    ``UserError`` where ``path`` as a whole cannot be read.
    """
    if corners is not None and corners not in RULES:
        raise UserError(f"unknown rule for corners {corners!r}{suggest(corners, RULES)}")
    if path.is_dir():
        return _read_folder(path, corners, findings)
    suffix = path.suffix.lower()
    if suffix == ".json":
        return read_coco(path, findings)
    if suffix == ".csv":
        return read_csv(path, corners or "half-open", findings)
    if suffix == ".xml":
        image = read_voc(path, path.stem, corners or "voc", findings)
        return [] if image is None else [image]
    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    raise UserError(
        f"{path}: annotations are COCO .json, .csv, VOC .xml, or a folder of .xml or mask .png"
    )


def _read_folder(path: Path, corners: str | None, findings: list[str]) -> list[AnnotatedImage]:
    if next(path.rglob("*.xml"), None):
        return read_voc_folder(path, corners or "voc", findings)
    if next(path.rglob("*.png"), None):
        return read_mask_folder(path)
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in (".json", ".csv"))
    if len(files) == 1:
        return read_source(files[0], corners, findings)
    several = (
        "several .json or .csv files: name one" if files else "neither .xml nor .png, .json or .csv"
    )
    raise UserError(f"{path}: holds {several}")


def list_images(folder: Path, skip: Iterable[Path] = ()) -> list[str]:
    """Paths of the images below ``folder``, sorted; without hidden ones, mask folders and ``skip``."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    root = folder.resolve()
    skipped = {path.resolve() for path in skip} - {root}
    names = []
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [
            name
            for name in sorted(folders)
            if not name.startswith(".")
            and name not in MASK_FOLDERS
            and _to_visit(Path(place) / name, root, skipped)
        ]
        below = PurePosixPath(Path(place).relative_to(folder).as_posix())
        names += [
            (below / name).as_posix()
            for name in files
            if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")
        ]
    return sorted(names)


def _to_visit(folder: Path, root: Path, skipped: set[Path]) -> bool:
    """Linked folders are visited too, each once: one below ``root`` is visited as itself."""
    if not folder.is_symlink():
        return not skipped or folder.resolve() not in skipped
    target = folder.resolve()
    if target in skipped or target.is_relative_to(root) or root.is_relative_to(target):
        return False
    skipped.add(target)
    return True


def match_images(
    files: list[str], annotated: Iterable[AnnotatedImage], findings: list[str]
) -> tuple[dict[str, AnnotatedImage], list[AnnotatedImage]]:
    """Annotations by image file, and those whose image is not there.

    A name is tried as it stands, without its suffix, then as a bare file name. Annotations of one
    image from several sources are joined; two of one source, or a name that fits several images,
    are findings.
    """
    tables = [defaultdict(list) for _ in range(4)]
    for file in files:
        for table, key in zip(tables, _spellings(file), strict=True):
            table[key].append(file)
    found: dict[str, AnnotatedImage] = {}
    missing = []
    for image in annotated:
        spellings = _spellings(image.file)
        fits = next(
            (table[key] for table, key in zip(tables, spellings, strict=True) if key in table), []
        )
        if not fits:
            missing.append(image)
        elif len(fits) > 1:
            findings.append(
                f"{image.where}: {image.file!r} may be {fits[0]} or {fits[1]}; name its folder"
            )
        else:
            first = found.get(fits[0])
            found[fits[0]] = image if first is None else _joined(first, image, findings)
    return found, missing


def _joined(first: AnnotatedImage, other: AnnotatedImage, findings: list[str]) -> AnnotatedImage:
    if first.size and other.size and first.size != other.size:
        findings.append(f"{other.where}: {other.file!r} has another size than in {first.where}")
    # Boxes from one source and masks from another belong together; boxes twice are two tales.
    for what in ("box", "mask"):
        told = [
            any(getattr(item, what) is not None for item in image.objects) for image in (first, other)
        ]
        if all(told):
            findings.append(f"{other.where}: {other.file!r} has its {what} in {first.where} already")
    return replace(
        first,
        objects=first.objects + other.objects,
        size=first.size or other.size,
        label=first.label or other.label,
        split=first.split or other.split,
    )


def _spellings(file: str) -> tuple[str, str, str, str]:
    """The path, the path without suffix, the file name, the file name without suffix.

    ``masks`` folders answer to ``images``, so that a mask finds the image of the folder beside.
    """
    path = PurePosixPath(file)
    bare = path.with_suffix("") if path.suffix.lower() in IMAGE_SUFFIXES else path
    parts = ["images" if part in MASK_FOLDERS else part for part in bare.parts]
    return file, "/".join(parts), path.name, bare.name
