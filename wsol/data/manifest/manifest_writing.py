"""Writing a manifest: images stream through, are sized and checked, and the folder appears whole."""

from __future__ import annotations

import operator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from wsol.data.manifest.cards import subset
from wsol.data.manifest.draft_tables import DraftTables, duplicate_ids
from wsol.data.manifest.image_sizes import sized_images
from wsol.data.manifest.manifest_draft import ManifestDraft
from wsol.data.manifest.manifest_folder import replacing_manifest
from wsol.data.manifest.manifest_info import FORMAT, tables_hash, write_info
from wsol.errors import UserError
from wsol.progress import track


def write_manifest(
    folder: Path | str,
    draft: ManifestDraft,
    *,
    workers: int = 8,
) -> dict[str, Any]:
    """Write ``draft`` as the manifest ``folder``, whole or not at all; returns manifest.json's content.

    Memory does not grow with the number of images (ten bytes each). ``workers`` threads read headers.
    Raises ``UserError`` with everything that is wrong, a line each.
    """
    with replacing_manifest(folder) as temporary:
        if draft.root is not None and draft.root.resolve().is_relative_to(Path(folder).resolve()):
            raise UserError(f"{folder}: the images lie in it ({draft.root}); choose another output")
        return write_tables(temporary, draft, workers=workers)


def write_tables(
    folder: Path,
    draft: ManifestDraft,
    *,
    workers: int = 8,
) -> dict[str, Any]:
    """Write the tables and manifest.json into an existing folder; see `write_manifest`."""
    root = folder if draft.root is None else draft.root
    if draft.write_files is not None:
        draft.write_files(folder)
    with ExitStack() as stack:
        tables = DraftTables(folder, draft, stack)
        total = operator.length_hint(draft.images, draft.total)
        mask_root = folder if draft.masks_in_manifest else root
        images = sized_images(draft, root, mask_root, workers)
        for image in track(images, total, f"prepare {draft.dataset}"):
            tables.add(image)
    findings = [*draft.findings, *tables.findings, *tables.bad_words()]
    findings = [*dict.fromkeys(findings), *duplicate_ids(folder, tables.id_hashes)]
    if not findings and not tables.counts:
        findings.append(f"{root}: no image of {draft.title} found there")
    if findings:
        raise UserError.of(findings)
    info = _info(folder, draft, tables)
    write_info(folder, info)
    return info


def _info(folder: Path, draft: ManifestDraft, tables: DraftTables) -> dict[str, Any]:
    """The content of manifest.json, once the tables are written."""
    info = {
        "format": FORMAT,
        "dataset": draft.dataset,
        "title": draft.title,
        "version": draft.version,
        "root": "." if draft.root is None else draft.root.resolve().as_posix(),
        "mask_root": "." if draft.masks_in_manifest else None,
        "exif": draft.exif,
        "counts": tables.summary(),
        "expected": draft.expected,
        "subset": subset(draft.expected, tables.summary(), fold=bool(draft.val_fold)),
        "notes": [*draft.notes, *tables.notes()],
        "val_fold": draft.val_fold,
        "hash": tables_hash(
            folder,
            exif=draft.exif,
            part_names=draft.part_names,
            drawn=draft.drawn,
            queries=draft.queries,
        ),
    }
    if draft.part_names:
        info["parts"] = {str(code): name for code, name in draft.part_names.items()}
    if draft.drawn:
        info["drawn"] = draft.drawn
    if draft.queries:
        info["queries"] = True
    return info
