"""What lies below a folder: images, or files of annotations, without what wsol itself wrote there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from wsol.data.manifest.manifest_folder import IGNORE_MASKS
from wsol.data.manifest.manifest_info import read_info
from wsol.errors import UserError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm")
# Masks: what keeps values as they are, and what blurs them and is cut at half.
MASK_SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".pgm", ".npy")
LOSSY_MASK_SUFFIXES = (".jpg", ".jpeg", ".jfif", ".jpe")
# Folders beside or below images which hold no images themselves.
MASK_FOLDERS = ("masks", IGNORE_MASKS, "GroundTruth", "SegmentationClass", "SegmentationObject")
CONTAINERS = ("images", "Images", "JPEGImages")  # folders that hold images and name no class
# What `wsol evaluate`, `wsol localize` and `wsol data sheet` draw.
OVERLAYS, CONTACT_SHEET = "overlays", "contact_sheet.png"


class FoundImages(NamedTuple):
    """Images of a folder: ``files`` are their sorted paths below it, with forward slashes.

    ``findings`` name the folders that cannot be read, ``notes`` those that were taken for no images.
    """

    files: list[str]
    findings: list[str]
    notes: list[str]


def list_images(
    folder: Path, skip: Iterable[Path] = (), annotations: Iterable[Path] = ()
) -> FoundImages:
    """The images below ``folder``: neither hidden ones, nor those in mask folders or in ``skip``.

    ``skip`` are folders and files. PNG files in folders of ``annotations`` are taken for masks, not for
    images, unless ``folder`` itself is one. ``UserError`` where there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    found = FoundImages([], [], [])
    masked = [path.resolve() for path in annotations if path.resolve() != folder.resolve()]
    for place, folders, files in walk(folder, found.findings, skip):
        below = PurePosixPath(place.relative_to(folder).as_posix())
        png_is_mask = bool(masked) and any(map(place.resolve().is_relative_to, masked))
        names = [
            name
            for name in files
            if _is_image(name) and not (png_is_mask and name.lower().endswith(".png"))
        ]
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
    if "manifest.json" in files and _is_manifest(place):
        if not is_root:
            return [], []
        files = [name for name in files if name != CONTACT_SHEET]
    if "metrics.json" in files or ("boxes.csv" in files and OVERLAYS in folders):
        drawn = {OVERLAYS} if is_root else {OVERLAYS, "masks"}
        return [name for name in folders if name not in drawn], files
    return folders, files


def _is_manifest(folder: Path) -> bool:
    try:
        read_info(folder)
    except UserError:
        return False
    return True


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES)


def _holds_images(folder: Path) -> bool:
    return any(_is_image(name) for _, _, files in walk(folder, []) for name in files)
