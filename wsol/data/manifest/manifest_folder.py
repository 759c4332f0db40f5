"""A manifest's folder appears whole or not at all, and replaces nothing but a manifest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsol.data.manifest.manifest_info import TABLES, read_info
from wsol.errors import UserError
from wsol.files.writing.leftovers import sweep
from wsol.files.writing.whole_folder import replacing_folder

IGNORE_MASKS = "ignore_masks"  # where masks of what is not scored are drawn
# What `wsol` itself puts into a manifest's folder: only such a folder is replaced.
OWN_ENTRIES = {
    *TABLES,
    "manifest.json",
    "images",
    "masks",
    IGNORE_MASKS,
    "check.json",
    "contact_sheet.png",
    "proposals",
}


@contextmanager
def replacing_manifest(folder: Path | str) -> Iterator[Path]:
    """Give a temporary folder that becomes ``folder`` when the block succeeds.

    A folder that holds a manifest, or nothing, is replaced; any other is refused before work begins.
    """
    folder = Path(folder)
    sweep(folder.parent)  # first: it may put the manifest back that a killed process moved away
    _refuse_foreign(folder)
    with replacing_folder(folder) as new:
        yield new


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"{folder}: is a file; choose a folder for the manifest")
    place = folder.resolve()
    if Path.cwd().is_relative_to(place) or place.is_mount():
        what = "a mount point" if place.is_mount() else "the folder you are in, or one above it"
        raise UserError(f"{folder}: is {what}, which cannot be replaced as a whole; name a new folder")
    entries = {entry.name for entry in folder.iterdir()}
    if not entries:
        return
    try:
        read_info(folder)
    except UserError:
        raise UserError(f"{folder}: holds files that are no manifest; choose a new folder") from None
    if foreign := sorted(entries - OWN_ENTRIES):
        raise UserError(
            f"{folder}: holds {foreign[0]!r}, which replacing the manifest would delete; move it"
        )
