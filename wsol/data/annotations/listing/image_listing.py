"""What lies below a folder: images, or files of annotations, without what wsol itself wrote there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from wsol.data.annotations.listing.other_files import OtherFiles
from wsol.data.manifest.manifest_folder import IGNORE_MASKS
from wsol.data.manifest.manifest_info import TABLES, read_info
from wsol.errors import UserError
from wsol.files.pictures.picture_kinds import PICTURE_SUFFIXES, is_picture_name

IMAGE_SUFFIXES = PICTURE_SUFFIXES  # of names that annotations may give without them
# Masks: what keeps values as they are, and what blurs them and is cut at half.
MASK_SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".pgm", ".npy")
LOSSY_MASK_SUFFIXES = (".jpg", ".jpeg", ".jfif", ".jpe")
# Folders beside or below images which hold no images themselves.
MASK_FOLDERS = ("masks", IGNORE_MASKS, "GroundTruth", "SegmentationClass", "SegmentationObject")
CONTAINERS = ("images", "Images", "JPEGImages")  # folders that hold images and name no class
# What `wsol evaluate`, `wsol localize` and `wsol data sheet` draw.
OVERLAYS, CONTACT_SHEET = "overlays", "contact_sheet.png"
# The tables it writes beside them.
RESULTS = ("metrics.json", "per_image.csv", "boxes.csv", "per_image.npz")
MANIFEST_FILES = ("manifest.json", *TABLES)


class FoundImages(NamedTuple):
    """Images of a folder: ``files`` are their sorted paths below it, with forward slashes.

    ``findings`` name the folders that cannot be read; ``notes`` those that were taken for no images, and
    count the files that were left out.
    """

    files: list[str]
    findings: list[str]
    notes: list[str]


def list_images(
    folder: Path, skip: Iterable[Path] = (), annotations: Iterable[Path] = ()
) -> FoundImages:
    """The images below ``folder``: neither hidden ones, nor those in mask folders or in ``skip``.

    ``skip`` are folders and files. Files of masks in folders of ``annotations`` are no images, unless
    ``folder`` itself is one. Files whose name does not tell what they are are looked into.
    ``UserError`` where there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    found = FoundImages([], [], [])
    given = [path.resolve() for path in annotations]
    masked = [path for path in given if path != folder.resolve()]
    others = OtherFiles(folder, given)
    for place, folders, files in walk(folder, found.findings, skip):
        below = PurePosixPath(place.relative_to(folder).as_posix())
        in_masks = bool(masked) and any(map(place.resolve().is_relative_to, masked))
        names = []
        for name in files:
            if in_masks and name.lower().endswith(MASK_SUFFIXES):
                continue
            if is_picture_name(name) or others.is_image(place, name):
                names.append(name)
        found.files.extend((below / name).as_posix() for name in names)
        masks = [name for name in folders if name in MASK_FOLDERS]
        if masks and not names and not set(CONTAINERS) & set(folders):
            # No images lie beside the folder: it may be a class that is called so.
            found.notes.extend(
                f"{(below / name).as_posix()} is taken for a folder of masks: its images are left out; "
                "if they are images of the set, rename it"
                for name in masks
                if (place / name).resolve() not in masked and _holds_images(place / name)
            )
        folders[:] = [name for name in folders if name not in MASK_FOLDERS]
    found.files.sort()
    found.notes.extend(others.notes())
    return found


def files_below(folder: Path, suffixes: tuple[str, ...], findings: list[str]) -> list[Path]:
    """Files below ``folder`` with ``suffixes`` in any letter case, sorted, without hidden ones."""
    return sorted(
        place / name
        for place, _, files in walk(folder, findings)
        for name in files
        if name.lower().endswith(suffixes)
    )


def walk(
    root: Path, findings: list[str], skip: Iterable[Path] = ()
) -> Iterator[tuple[Path, list[str], list[str]]]:
    """``os.walk`` from the top down, without hidden entries, ``skip`` and what wsol itself wrote.

    Linked folders are visited too, each once: one below ``root`` is visited as itself. Folders that
    cannot be read are ``findings``.
    """

    def unreadable(error: OSError) -> None:
        findings.append(f"{error.filename}: this folder cannot be read ({error.strerror})")

    top = root.resolve()
    skipped = {path.resolve() for path in skip} - {top}
    visited = set(skipped)
    for name, folders, files in os.walk(root, followlinks=True, onerror=unreadable):
        place = Path(name)
        files = [file for file in files if not file.startswith(".")]
        if skipped:
            files = [file for file in files if place.resolve() / file not in skipped]
        kept = [folder for folder in sorted(folders) if not folder.startswith(".")]
        kept, files = _without_own(place, kept, files, is_root=place == root)
        folders[:] = [folder for folder in kept if _to_visit(place / folder, top, visited)]
        yield place, folders, files


def _to_visit(folder: Path, root: Path, visited: set[Path]) -> bool:
    if not folder.is_symlink():
        return not visited or folder.resolve() not in visited
    target = folder.resolve()
    if target in visited or target.is_relative_to(root) or root.is_relative_to(target):
        return False
    visited.add(target)
    return True


def _without_own(
    place: Path, folders: list[str], files: list[str], *, is_root: bool
) -> tuple[list[str], list[str]]:
    """Folders and files without what `wsol` drew; below the root, without its manifests and masks."""
    results = "metrics.json" in files or ("boxes.csv" in files and OVERLAYS in folders)
    if "manifest.json" in files and _is_manifest(place):
        if not is_root:
            return [], []
        files = [name for name in files if name not in (CONTACT_SHEET, *MANIFEST_FILES)]
    if results:
        drawn = {OVERLAYS} if is_root else {OVERLAYS, "masks"}
        return [name for name in folders if name not in drawn], [
            name for name in files if name not in RESULTS
        ]
    return folders, files


def _is_manifest(folder: Path) -> bool:
    try:
        read_info(folder)
    except UserError:
        return False
    return True


def _holds_images(folder: Path) -> bool:
    return any(is_picture_name(name) for _, _, files in walk(folder, []) for name in files)
