"""The tables of a manifest while its images stream in: rows are checked, written and counted."""

from __future__ import annotations

import hashlib
import itertools
from array import array
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from wsol.data.manifest.image_sizes import SizedImage
from wsol.data.manifest.manifest_draft import DraftBox, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_info import TABLES
from wsol.data.manifest.table_files import COLUMNS, OPTIONAL, TableFile
from wsol.data.manifest.validation import (
    bad_box,
    bad_name,
    bad_part_names,
    bad_text,
    missing_label,
)
from wsol.files.csv_table import table_rows
from wsol.files.text_tables import LARGEST_NUMBER

DECIMALS = 6  # of coordinates in tables


class DraftTables:
    """Takes the images of ``draft`` one by one, checks them, writes their rows, and counts."""

    def __init__(self, folder: Path, draft: ManifestDraft, stack: ExitStack) -> None:
        self.draft = draft
        self.findings: list[str] = []
        self.counts: Counter[str] = Counter()
        self.annotated: Counter[str] = Counter()
        self.boxes: Counter[str] = Counter()
        self.masks: Counter[str] = Counter()
        self.id_hashes = array("Q")
        self.missing, self.clipped, self.unlabelled = 0, 0, 0
        self.tables = {
            name: TableFile(folder / name, COLUMNS[name], OPTIONAL.get(name, ())) for name in TABLES
        }
        for table in self.tables.values():
            stack.callback(table.close)
        for label, (name, key) in enumerate(draft.classes):
            self.tables["classes.csv"].add((label, name, key))

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
        names += [(image.parts, "parts")] if image.parts else []
        problems = [problem for name, what in names if (problem := bad_name(name, what))]
        if image.size is not None and image.size != size:
            problems.append(
                f"the annotation is of an image of {image.size[1]} x {image.size[0]} pixels, but "
                f"{image.path} has {size[1]} x {size[0]}{sized.turned}"
            )
        problems += ["neither mask nor ignore mask" for pair in image.masks if not any(pair)]
        if image.parts and not self.draft.part_names:
            problems.append(f"{image.parts}: the draft's part_names do not say what its codes mean")
        counts = Counter(box.instance for box in image.boxes if box.instance is not None)
        problems += [
            f"instance {number} has {count} boxes" for number, count in counts.items() if count > 1
        ]
        self.findings.extend(where + problem for problem in problems)
        self._write(image, size)

    def _write(self, image: DraftImage, size: tuple[int, int]) -> None:
        height, width = size
        label = "" if image.label is None else image.label
        self.unlabelled += image.label is None
        self.tables["images.csv"].add(
            (image.image_id, image.path, label, width or "", height or "", image.split)
        )
        for box in image.boxes:
            self._write_box(image, box, height, width)
        # The codes of parts stand in the first of the image's rows.
        for number, pair in enumerate(image.masks or ((("", ""),) if image.parts else ())):
            said = {"parts": image.parts} if number == 0 else {}
            self.tables["masks.csv"].add((image.image_id, *pair), said)
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
        problem = problem or self._bad_numbers_of(given)
        if not problem and given.label is None:
            problem = missing_label(image.split, queries=self.draft.queries)
        if problem:
            self.findings.append(f"{given.where}: {problem}")
            return
        if self.draft.reference_corners:
            source = _clip(source, width - 1, height - 1)
        said = {"label": given.label, "instance": given.instance}
        self.tables["boxes.csv"].add((image.image_id, *map(number, box), *map(number, source)), said)
        self.boxes[image.split] += 1

    def _bad_numbers_of(self, box: DraftBox) -> str:
        """What is wrong with a box's label or instance; empty where nothing is."""
        if box.label is not None and not 0 <= box.label < len(self.draft.classes):
            return f"label {box.label} has no class: there are {len(self.draft.classes)}"
        if box.instance is not None and not 0 <= box.instance <= LARGEST_NUMBER:
            return f"instance {box.instance} is not from 0 to {LARGEST_NUMBER}"
        return ""

    def bad_words(self) -> list[str]:
        """What is wrong with splits, classes and parts, once for all images."""
        findings = [problem for split in self.counts if split and (problem := bad_text(split, "split"))]
        if unnamed := self.counts[""]:
            findings.append(f"{unnamed} images have no split; name one, e.g. test")
        keys = [key for _, key in self.draft.classes]
        findings += [problem for key in keys if (problem := bad_text(key, "class"))]
        findings += [f"class {key!r} occurs twice" for key, count in Counter(keys).items() if count > 1]
        findings += [f"parts: {problem}" for problem in bad_part_names(self.draft.part_names)]
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


def duplicate_ids(folder: Path, hashes: array) -> list[str]:
    """Ids that occur twice. Only hashes were kept; the names are looked up in the written table."""
    _, counts = np.unique(np.frombuffer(hashes, np.uint64), return_counts=True)
    if not (counts > 1).any():
        return []
    findings, paths = [], {}
    with (folder / "images.csv").open(encoding="utf-8", newline="") as file:
        for _, (image_id, path, *_) in itertools.islice(table_rows(file), 1, None):
            if image_id in paths:
                findings.append(f"image_id {image_id!r} occurs twice: {paths[image_id]} and {path}")
            paths.setdefault(image_id, path)
    return findings
