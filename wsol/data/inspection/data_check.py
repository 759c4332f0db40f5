"""Looking at all of a data set: files against tables, duplicates, class balance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from wsol.data.inspection.file_checks import CheckedFiles, FileCheck
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.validation import unnamed_codes
from wsol.data.splits.duplicates import duplicate_groups
from wsol.progress import track


@dataclass
class DataReport:
    """What was found.

    Attributes:
        files, decoded: how many files were looked at, and how many were not known from before.
        findings: what is wrong, a line each.
        leaks: pictures that lie in several splits: groups of (split, image_id).
        repeats: pictures that lie several times in one split: groups of (split, image_id).
        empty_masks: images whose masks are all empty, by split: images without the object.
        balance: by split, (images of the rarest class, median, of the commonest), 0 for a class without;
            empty where the data set has no classes.
        several_classes: by split, images whose boxes are of several classes.
        several_things: by split, images that show several instances.
        notes: what went wrong with the check itself.
    """

    files: int = 0
    decoded: int = 0
    findings: list[str] = field(default_factory=list)
    leaks: list[list[tuple[str, str]]] = field(default_factory=list)
    repeats: list[list[tuple[str, str]]] = field(default_factory=list)
    empty_masks: dict[str, int] = field(default_factory=dict)
    balance: dict[str, tuple[int, float, int]] = field(default_factory=dict)
    several_classes: dict[str, int] = field(default_factory=dict)
    several_things: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def check_data(manifest: Manifest, workers: int | None = None) -> DataReport:
    """Decode all images and masks of ``manifest`` in parallel; results are kept by each file's stamp."""
    tables = manifest.tables
    checked = CheckedFiles(manifest.folder, exif=manifest.exif)
    images = [("image", f"{manifest.root}/{path}") for path in tables.paths]
    masks = [
        (row, f"{manifest.mask_root}/{name}")
        for row, *names in tables.masks
        for name in dict.fromkeys(names)
        if name
    ]
    scored = {f"{manifest.mask_root}/{mask}" for _, mask, _ in tables.masks if mask}
    codes = [(row, f"{manifest.mask_root}/{name}") for row, name in tables.parts.items()]
    files = images + [("mask", path) for _, path in masks] + [("codes", path) for _, path in codes]
    checks = list(track(checked.check(files, workers), len(files), "check"))
    report = DataReport(len(files), checked.fresh)
    try:
        checked.write()
    except OSError as error:
        report.notes.append(
            f"{checked.path} cannot be written ({error.strerror}): the next check decodes all files "
            "again"
        )
    _check_images(manifest, checks[: len(images)], report)
    _check_boxes(manifest, report)
    objects: Counter[int] = Counter()
    mask_checks, code_checks = checks[len(images) :][: len(masks)], checks[len(images) + len(masks) :]
    for (row, path), check in zip(masks, mask_checks, strict=True):
        _check_mask(manifest, row, path, check, report)
        if path in scored:
            objects[row] += int(check.content or 0)
    for (row, path), check in zip(codes, code_checks, strict=True):
        _check_mask(manifest, row, path, check, report)
        found = [int(code) for code in check.content.split(",") if code]
        report.findings += unnamed_codes(path, found, manifest.part_names)
    report.several_classes = _images_with_several(manifest, tables.box_labels)
    report.several_things = _images_with_several(manifest, tables.box_instances)
    report.empty_masks = dict(Counter(tables.splits[row] for row, count in objects.items() if not count))
    return report


def _check_images(manifest: Manifest, checks: list[FileCheck], report: DataReport) -> None:
    tables = manifest.tables
    for row, check in enumerate(checks):
        height, width = tables.sizes[row].tolist()
        if check.problem:
            report.findings.append(check.problem)
        elif height and (height, width) != check.size:
            report.findings.append(
                f"{manifest.folder / 'images.csv'}: {tables.image_ids[row]} is {width} x {height} "
                f"pixels, its file has {check.size[1]} x {check.size[0]}; run `wsol prepare` again"
            )
    for group in duplicate_groups(check.content for check in checks):
        members = [(tables.splits[row], tables.image_ids[row]) for row in group]
        several = len({split for split, _ in members}) > 1
        (report.leaks if several else report.repeats).append(members)
    for split in manifest.splits:
        labels = tables.labels[np.array(tables.splits) == split]
        counts = np.bincount(labels[labels >= 0], minlength=len(manifest.classes))
        if counts.size:
            report.balance[split] = int(counts.min()), float(np.median(counts)), int(counts.max())


def _check_boxes(manifest: Manifest, report: DataReport) -> None:
    """Boxes of less than a pixel at the image's first pixel are shares taken for pixels."""
    boxes = manifest.tables.source_boxes
    if not len(boxes):
        return
    tiny = (boxes.max(axis=1) <= 1) & (boxes != np.round(boxes)).any(axis=1)
    if 2 * tiny.sum() >= len(boxes):
        report.findings.append(
            f"{manifest.folder / 'boxes.csv'}: {tiny.sum()} of {len(boxes)} boxes lie within one pixel: "
            "they look like shares of the image; run `wsol prepare` again with --corners shares"
        )


def _images_with_several(manifest: Manifest, numbers: np.ndarray | None) -> dict[str, int]:
    """By split, how many images have boxes with different ``numbers`` (m,), -1 being none."""
    if numbers is None:
        return {}
    pairs = zip(manifest.tables.box_rows.tolist(), numbers.tolist(), strict=True)
    counts = Counter(row for row, number in set(pairs) if number >= 0)
    return dict(Counter(manifest.tables.splits[row] for row, count in counts.items() if count > 1))


def _check_mask(manifest: Manifest, row: int, path: str, check: FileCheck, report: DataReport) -> None:
    height, width = manifest.tables.sizes[row].tolist()
    if check.problem:
        report.findings.append(check.problem)
    elif check.size != (height, width):
        report.findings.append(
            f"{path}: mask of {check.size[1]} x {check.size[0]} pixels, the image "
            f"{manifest.tables.image_ids[row]} has {width} x {height}"
        )
