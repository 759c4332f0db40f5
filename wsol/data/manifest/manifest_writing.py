"""Writing a manifest: images stream through, are sized and checked, and the folder appears whole."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import operator
from array import array
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from wsol.data.manifest.cards import subset
from wsol.data.manifest.image_sizes import SizedImage, sized_images
from wsol.data.manifest.manifest import FORMAT, TABLES, tables_hash
from wsol.data.manifest.manifest_draft import DraftBox, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_folder import replacing_manifest
from wsol.data.manifest.manifest_reading import COLUMNS
from wsol.data.manifest.validation import bad_box, bad_name, bad_text
from wsol.errors import UserError
from wsol.files.atomic import write_text
from wsol.files.csv_table import table_writer
from wsol.progress import track

DECIMALS = 6  # of coordinates in tables


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
        writer = _TableWriter(folder, draft, stack)
        total = operator.length_hint(draft.images, draft.total)
        mask_root = folder if draft.masks_in_manifest else root
        images = sized_images(draft, root, mask_root, workers)
        for image in track(images, total, f"prepare {draft.dataset}"):
            writer.add(image)
    findings = [*draft.findings, *writer.findings, *writer.bad_words()]
    findings = [*dict.fromkeys(findings), *_duplicate_ids(folder, writer.id_hashes)]
    if not findings and not writer.counts:
        findings.append(f"{root}: no image of {draft.title} found there")
    if findings:
        raise UserError.of(findings)
    info = {
        "format": FORMAT,
        "dataset": draft.dataset,
        "title": draft.title,
        "version": draft.version,
        "root": "." if draft.root is None else draft.root.resolve().as_posix(),
        "mask_root": "." if draft.masks_in_manifest else None,
        "exif": draft.exif,
        "counts": writer.summary(),
        "expected": draft.expected,
        "subset": subset(draft.expected, writer.summary(), fold=bool(draft.val_fold)),
        "notes": [*draft.notes, *writer.notes()],
        "val_fold": draft.val_fold,
        "hash": tables_hash(folder, exif=draft.exif),
    }
    write_info(folder, info)
    return info


def write_info(folder: Path, info: dict[str, Any]) -> None:
    """Write manifest.json whole or not at all."""
    write_text(
        folder / "manifest.json", json.dumps(info, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    )


class _TableWriter:
    """Takes images one by one, checks them, writes their rows, and counts."""

    def __init__(self, folder: Path, draft: ManifestDraft, stack: ExitStack) -> None:
        self.draft = draft
        self.findings: list[str] = []
        self.counts: Counter[str] = Counter()
        self.annotated: Counter[str] = Counter()
        self.boxes: Counter[str] = Counter()
        self.masks: Counter[str] = Counter()
        self.id_hashes = array("Q")
        self.missing, self.clipped, self.unlabelled = 0, 0, 0
        self.tables = {name: _open_table(folder / name, stack) for name in TABLES}
        for label, (name, key) in enumerate(draft.classes):
            self.tables["classes.csv"].writerow((label, name, key))

    def add(self, sized: SizedImage) -> None:
        """Write one image's rows, or say why not."""
        image, size = sized.image, sized.size
        self.findings.extend(sized.problems)
        if size is None:
            self.missing += not sized.problems
            return
        where = f"{image.where}: " if image.where else ""
        names = [(image.image_id, "image_id"), (image.path, "path")]
        names += [(name, "mask") for pair in image.masks for name in pair if name]
        problems = [problem for name, what in names if (problem := bad_name(name, what))]
        if image.size is not None and image.size != size:
            problems.append(
                f"the annotation is of an image of {image.size[1]} x {image.size[0]} pixels, but "
                f"{image.path} has {size[1]} x {size[0]}"
            )
        problems += ["neither mask nor ignore mask" for pair in image.masks if not any(pair)]
        self.findings.extend(where + problem for problem in problems)
        self._write(image, size)

    def _write(self, image: DraftImage, size: tuple[int, int]) -> None:
        height, width = size
        label = "" if image.label is None else image.label
        self.unlabelled += image.label is None
        self.tables["images.csv"].writerow(
            (image.image_id, image.path, label, width or "", height or "", image.split)
        )
        for box in image.boxes:
            self._write_box(image, box, height, width)
        for mask, ignore in image.masks:
            self.tables["masks.csv"].writerow((image.image_id, mask, ignore))
        self.masks[image.split] += len(image.masks)
        self.counts[image.split] += 1
        self.annotated[image.split] += bool(image.boxes or image.masks)
        hashed = hashlib.blake2b(image.image_id.encode("utf-8", "surrogatepass"), digest_size=8)
        self.id_hashes.append(int.from_bytes(hashed.digest(), "little"))

    def _write_box(self, image: DraftImage, given: DraftBox, height: int, width: int) -> None:
        box, source = given.box, given.source
        problem = bad_box(box)
        if not problem:
            box = _clip(given.box, width, height)
            self.clipped += box != given.box
            words = " ".join(map(number, given.box))
            if bad_box(box):
                problem = f"box {words} lies outside the image ({width} x {height})"
            elif bad_box([float(number(value)) for value in box]):
                problem = f"box {words} is empty once rounded to {DECIMALS} decimals"
        if problem:
            self.findings.append(f"{given.where}: {problem}")
            return
        if self.draft.reference_corners:
            source = _clip(source, width - 1, height - 1)
        self.tables["boxes.csv"].writerow((image.image_id, *map(number, box), *map(number, source)))
        self.boxes[image.split] += 1

    def bad_words(self) -> list[str]:
        """What is wrong with splits and classes, once for all images."""
        findings = [problem for split in self.counts if split and (problem := bad_text(split, "split"))]
        if unnamed := self.counts[""]:
            findings.append(f"{unnamed} images have no split; name one, e.g. test")
        keys = [key for _, key in self.draft.classes]
        findings += [problem for key in keys if (problem := bad_text(key, "class"))]
        findings += [f"class {key!r} occurs twice" for key, count in Counter(keys).items() if count > 1]
        return findings

    def summary(self) -> dict[str, Any]:
        """How many of what, by split; ``annotated`` are images with a box or a mask."""
        return {
            "classes": len(self.draft.classes),
            "images": dict(self.counts),
            "annotated": dict(self.annotated),
            "boxes": dict(self.boxes),
            "masks": dict(self.masks),
        }

    def notes(self) -> list[str]:
        """What was decided about odd input."""
        bare = [split for split in ("val", "test") if self.counts[split] and not self.annotated[split]]
        return [
            text
            for count, text in (
                *(
                    (1, f"{split} has neither boxes nor masks: it tells accuracy, not localization")
                    for split in bare
                ),
                (self.clipped, f"{self.clipped} boxes that stuck out of their image were clipped to it"),
                (self.missing, f"{self.missing} listed images have no file and were left out"),
                (self.unlabelled, f"{self.unlabelled} images have no label"),
            )
            if count
        ]


def number(value: float) -> str:
    """A coordinate as text: up to six decimals, none where it is whole."""
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")


def _clip(box: tuple[float, ...], right: float, bottom: float) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = box
    return max(x0, 0), max(y0, 0), min(x1, right), min(y1, bottom)


def _open_table(path: Path, stack: ExitStack):
    file = stack.enter_context(path.open("w", encoding="utf-8", errors="replace", newline=""))
    return table_writer(file, COLUMNS[path.name])


def _duplicate_ids(folder: Path, hashes: array) -> list[str]:
    """Ids that occur twice: while writing only hashes are kept, names are looked up again."""
    _, counts = np.unique(np.frombuffer(hashes, np.uint64), return_counts=True)
    if not (counts > 1).any():
        return []
    findings, paths = [], {}
    with (folder / "images.csv").open(encoding="utf-8", newline="") as file:
        for image_id, path, *_ in itertools.islice(csv.reader(file), 1, None):
            if image_id in paths:
                findings.append(f"image_id {image_id!r} occurs twice: {paths[image_id]} and {path}")
            paths.setdefault(image_id, path)
    return findings
