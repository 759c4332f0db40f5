"""CUB-200-2011 (Wah, Branson, Welinder, Perona and Belongie 2011) in its official layout.

Boxes are x, y, width, height in pixels. Train carries image labels only; its boxes serve where a
fold of it is held out as val. Val is CUBv2 (Choe et al. 2020) where its folder is there.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from wsol.data.layouts.layout import Layout
from wsol.data.manifest.manifest_draft import (
    DraftBox,
    DraftClass,
    DraftImage,
    ManifestDraft,
    bare_id,
)
from wsol.data.manifest.validation import bad_name
from wsol.data.splits.held_out_val import TrainPlan, add_split_options, plan_train
from wsol.errors import UserError
from wsol.files.text_tables import numbers, read_keyed, read_lines

# The rows of a table by their first value: the other values, and the file and line they stand in.
Keyed = dict[str, tuple[list[str], str]]


def add_options(parser: ArgumentParser) -> None:
    """Where CUBv2's metadata lie, beside the split options."""
    parser.add_argument(
        "--cubv2-metadata",
        type=Path,
        metavar="DIR",
        help="class_labels.txt and localization.txt of CUBv2, whose images lie in ROOT/CUBV2; "
        "default: ROOT/CUBV2 itself",
    )
    add_split_options(parser)


def read(root: Path, options: Namespace) -> ManifestDraft:
    """Read the release under ``root``: the folder ``CUB_200_2011``, or the folder that holds it."""
    base = next(
        (folder for folder in (root / "CUB_200_2011", root) if (folder / "images.txt").is_file()), None
    )
    if base is None:
        raise UserError(f"{root}: no CUB-200-2011 there: neither images.txt nor CUB_200_2011/images.txt")
    beside = [
        name
        for name in ("CUBV2", "segmentations")
        if not (base / name).is_dir() and (root / name).is_dir()
    ]
    # Paths start at CUB_200_2011, whichever of the two folders was given, so that both give one hash.
    root = root if beside else base
    release = _Release(root, base)
    draft = ManifestDraft("cub", "CUB-200-2011", "2011", root, [], ())
    draft.reference_corners = True
    tables = _read_tables(base, draft)
    classes = _classes(base, tables.images, draft)
    draft.classes = [DraftClass(name, name) for name in classes]
    labels = {name: label for label, name in enumerate(classes)}
    cubv2 = release.find("CUBV2")
    listing = [
        (bare_id(path), labels[_folder(path)])
        for number, ((path,), _) in tables.images.items()
        if tables.is_train.get(number) and _folder(path) in labels
    ]
    plan = plan_train(listing, options, has_val=cubv2 is not None)
    draft.notes.extend(plan.notes)
    draft.val_fold = plan.val_fold
    draft.images = list(_images(release, tables, labels, plan, draft))
    if cubv2 is not None:
        draft.images += _cubv2(root, cubv2, options.cubv2_metadata or cubv2, labels, draft)
    return draft


LAYOUT = Layout(read, add_options)


@dataclass(frozen=True)
class _Release:
    """The release's folders; segmentations are unpacked beside ``CUB_200_2011`` or into it."""

    root: Path
    base: Path

    def find(self, name: str) -> Path | None:
        return next((path for path in (self.base / name, self.root / name) if path.is_dir()), None)

    def relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


@dataclass
class _CubTables:
    images: Keyed
    labels: Keyed
    boxes: Keyed
    is_train: dict[str, bool] = field(default_factory=dict)


def _read_tables(base: Path, draft: ManifestDraft) -> _CubTables:
    def optional(name: str, values: int) -> Keyed:
        if (base / name).is_file():
            table = read_keyed(base / name, values, draft.findings)
            if strangers := len(table.keys() - images.keys()):
                draft.notes.append(
                    f"{strangers} rows of {name} are of images that images.txt does not list"
                )
            return table
        draft.notes.append(f"there is no {name}")
        return {}

    images = _named(read_keyed(base / "images.txt", 1, draft.findings), draft)
    tables = _CubTables(images, optional("image_class_labels.txt", 1), optional("bounding_boxes.txt", 4))
    for number, ((flag,), where) in read_keyed(base / "train_test_split.txt", 1, draft.findings).items():
        if flag not in ("0", "1"):
            draft.findings.append(f"{where}: {flag!r} is neither 1 (train) nor 0 (test)")
        tables.is_train[number] = flag == "1"
    return tables


def _named(images: Keyed, draft: ManifestDraft) -> Keyed:
    """The rows whose path names a file; the others are findings."""
    for (path,), where in images.values():
        if problem := bad_name(path, "path"):
            draft.findings.append(f"{where}: {problem}")
    return {number: row for number, row in images.items() if not bad_name(row[0][0], "path")}


def _classes(base: Path, images: Keyed, draft: ManifestDraft) -> list[str]:
    """Class folders that have images on the disk, in the order of classes.txt or of their names."""
    listed = {_folder(path) for (path,), _ in images.values()}
    folder = base / "images"
    there = listed & {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    if not (base / "classes.txt").is_file():
        draft.notes.append("there is no classes.txt: classes are the folders")
        return sorted(there)
    named = [text.split(None, 1)[-1] for _, text in read_lines(base / "classes.txt")]
    if len(set(named)) != len(named):
        draft.findings.append("classes.txt: a class occurs twice")
    for name in sorted(there - set(named)):
        draft.findings.append(f"images.txt: folder {name!r} is not in classes.txt")
    return [name for name in dict.fromkeys(named) if name in there]


def _images(
    release: _Release, tables: _CubTables, labels: dict[str, int], plan: TrainPlan, draft: ManifestDraft
) -> Iterator[DraftImage]:
    segmentations = release.find("segmentations")
    images = release.relative(release.base / "images")
    class_names = _class_numbers(release.base)
    unboxed = 0
    for number, ((path,), where) in tables.images.items():
        folder = _folder(path)
        (class_number,), label_where = tables.labels.get(number, ([""], ""))
        if class_number and class_names.get(class_number, folder) != folder:
            draft.findings.append(
                f"{label_where}: class {class_number} is {class_names[class_number]}, but the image "
                f"lies in {folder}"
            )
        if number not in tables.is_train:
            draft.findings.append(f"{where}: image {number} is not in train_test_split.txt")
            continue
        image_id = bare_id(path)
        split = plan.split(image_id) if tables.is_train[number] else "test"
        if split is None:
            continue
        boxes: tuple[DraftBox, ...] = ()
        masks: tuple[tuple[str, str], ...] = ()
        if split != "train":
            boxes = _box(tables.boxes, number, draft)
            unboxed += not boxes
            if segmentations is not None and (segmentations / f"{image_id}.png").is_file():
                masks = ((release.relative(segmentations / f"{image_id}.png"), ""),)
        yield DraftImage(
            image_id, f"{images}/{path}", labels.get(folder), split, boxes, masks, where=where
        )
    if unboxed:
        draft.notes.append(f"{unboxed} val and test images have no box")


def _box(boxes: Keyed, number: str, draft: ManifestDraft) -> tuple[DraftBox, ...]:
    if number not in boxes:
        return ()
    texts, where = boxes[number]
    values = numbers(texts, where, draft.findings)
    if values is None:
        return ()
    x, y, width, height = values
    corners = (x, y, x + width, y + height)
    return (DraftBox(corners, corners, where),)


def _cubv2(
    root: Path, folder: Path, metadata: Path, labels: dict[str, int], draft: ManifestDraft
) -> list[DraftImage]:
    """CUBv2 as val: annotated as x, y, width, height, its x1 and y1 are the sums, so half-open."""
    findings, images = draft.findings, []
    boxes = read_keyed(metadata / "localization.txt", 4, findings, separator=",")
    for path, (texts, where) in boxes.items():
        if problem := bad_name(path, "path"):
            findings.append(f"{where}: {problem}")
            continue
        if _folder(path) not in labels:
            continue
        values = numbers(texts, where, findings)
        if values is None:
            continue
        x0, y0, x1, y1 = values
        corners = (x0, y0, x1, y1)
        images.append(
            DraftImage(
                f"CUBV2/{bare_id(path)}",
                (folder / path).relative_to(root).as_posix(),
                labels[_folder(path)],
                "val",
                (DraftBox(corners, corners, where),),
                where=where,
            )
        )
    draft.notes.append("val is CUBv2")
    return images


def _class_numbers(base: Path) -> dict[str, str]:
    path = base / "classes.txt"
    rows = [text.split(None, 1) for _, text in read_lines(path)] if path.is_file() else []
    return {row[0]: row[1] for row in rows if len(row) == 2}


def _folder(path: str) -> str:
    return PurePosixPath(path).parts[0]
