"""ILSVRC CLS-LOC (Russakovsky et al. 2015) in the layout of its Kaggle release.

Box corners are 0-based inclusive pixels. What the release calls val has the boxes everyone
reports on: it is our test. Images of train are listed, never required.
"""

from __future__ import annotations

import itertools
import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wsol.data.layouts.ilsvrc_boxes import ImageBoxes, read_solution, read_xml
from wsol.data.layouts.imagenetv2 import find_images, val_images
from wsol.data.layouts.layout import Layout
from wsol.data.manifest.manifest_draft import DraftClass, DraftImage, ManifestDraft
from wsol.data.splits.held_out_val import TrainPlan, add_split_options, plan_train
from wsol.errors import UserError
from wsol.files.text_tables import read_lines

NOTHING = ImageBoxes(None, (), None, "")
SUFFIXES = (".jpeg", ".jpg", ".png")


def add_options(parser: ArgumentParser) -> None:
    """Whether train's headers are read, and where ImageNetV2's boxes lie, beside the split options."""
    parser.add_argument(
        "--list-train",
        action="store_true",
        help="take train from the directory listing without opening its images: quick, finds no damage",
    )
    parser.add_argument(
        "--imagenetv2-metadata",
        type=Path,
        metavar="DIR",
        help="boxes of ImageNetV2 (wsolevaluation's metadata/ILSVRC/val), whose images lie in "
        "ROOT/ILSVRC/val2 and are val then; default: val2 itself",
    )
    add_split_options(parser)


def read(root: Path, options: Namespace) -> ManifestDraft:
    """Read the release under ``root``: the folder that holds ``ILSVRC``, or ``ILSVRC`` itself."""
    base = next(
        (folder for folder in (root / "ILSVRC", root) if (folder / "Data/CLS-LOC").is_dir()), None
    )
    if base is None:
        raise UserError(f"{root}: no ILSVRC CLS-LOC there: neither ILSVRC/Data/CLS-LOC nor Data/CLS-LOC")
    # Paths start at ILSVRC, whichever of the two folders was given, so that both give one hash.
    folders = _Folders(base)
    draft = ManifestDraft("imagenet", "ILSVRC2012 CLS-LOC", "2012", base, [], ())
    draft.reference_corners = True
    draft.open_unannotated = not options.list_train
    train_classes = folders.train_classes()
    test = _test_boxes(folders, root, draft)
    names = _names(folders, root, draft)
    keys = sorted(set(train_classes) | {boxes.key for boxes in test.values() if boxes.key})
    if not keys:
        raise UserError(f"{folders.data}: neither class folders in train nor labelled images in val")
    draft.classes = [DraftClass(names.get(key, key), key) for key in keys]
    labels = {key: label for label, key in enumerate(keys)}
    draft.total = sum(1 for _ in folders.train_images(train_classes)) + len(test)
    listing = ((_stem(name), labels[key]) for key, name in folders.train_images(train_classes))
    val2 = find_images(folders.data) or find_images(base)
    plan = plan_train(listing, options, has_val=val2 is not None)
    draft.notes.extend(plan.notes)
    draft.val_fold = plan.val_fold
    images = _images(folders, train_classes, test, labels, plan, draft)
    if val2 is not None:
        val = val_images(base, val2, options.imagenetv2_metadata or val2, draft)
        draft.notes.append("val is ImageNetV2")
        draft.total += len(val)
        images = itertools.chain(images, val)
    draft.images = images
    return draft


LAYOUT = Layout(read, add_options)


@dataclass(frozen=True)
class _Folders:
    base: Path

    @property
    def data(self) -> Path:
        return self.base / "Data/CLS-LOC"

    @property
    def annotations(self) -> Path:
        return self.base / "Annotations/CLS-LOC"

    def table(self, root: Path, name: str) -> Path | None:
        """A CSV or text table, which Kaggle's archive keeps beside ``ILSVRC``."""
        places = (root / name, self.base / name, self.base.parent / name)
        return next((path for path in places if path.is_file()), None)

    def train_classes(self) -> list[str]:
        train = self.data / "train"
        return (
            sorted(entry.name for entry in os.scandir(train) if entry.is_dir()) if train.is_dir() else []
        )

    def train_images(self, classes: list[str]) -> Iterator[tuple[str, str]]:
        """(class key, file name), a class folder at a time."""
        for key in classes:
            for name in _image_names(self.data / "train" / key):
                yield key, name


def _test_boxes(folders: _Folders, root: Path, draft: ManifestDraft) -> dict[str, ImageBoxes]:
    """Label and boxes of each val image by its file name, from the XML files or else from the CSV."""
    names = _image_names(folders.data / "val")
    table = folders.table(root, "LOC_val_solution.csv")
    solution = read_solution(table, draft.findings) if table else {}
    found: dict[str, ImageBoxes] = {}
    for name in names:
        image_id = _stem(name)
        xml = folders.annotations / "val" / f"{image_id}.xml"
        boxes = read_xml(xml, draft.findings) if xml.is_file() else solution.get(image_id)
        if boxes is not None and image_id in solution and not boxes.agrees(solution[image_id]):
            draft.findings.append(f"{xml.name}: its boxes are not those of {solution[image_id].where}")
        found[name] = boxes or NOTHING
    unlabelled = sum(not boxes.key for boxes in found.values())
    if unlabelled:
        draft.notes.append(
            f"{unlabelled} val images have neither XML nor a row in LOC_val_solution.csv: left out"
        )
    if not names:
        draft.notes.append("there is no val image: the manifest has no test split")
    return found


def _images(
    folders: _Folders,
    train_classes: list[str],
    test: dict[str, ImageBoxes],
    labels: dict[str, int],
    plan: TrainPlan,
    draft: ManifestDraft,
) -> Iterator[DraftImage]:
    for key, name in folders.train_images(train_classes):
        image_id = _stem(name)
        split = plan.split(image_id)
        if split is None:
            continue
        boxes = _train_boxes(folders, key, image_id, draft) if split == "val" else NOTHING
        path = f"Data/CLS-LOC/train/{key}/{name}"
        yield DraftImage(
            image_id, path, labels[key], split, boxes.boxes, size=boxes.size, where=boxes.where
        )
    for name, boxes in test.items():
        if not boxes.key:
            continue
        path = f"Data/CLS-LOC/val/{name}"
        yield DraftImage(
            *(_stem(name), path, labels[boxes.key], "test", boxes.boxes),
            size=boxes.size,
            where=boxes.where,
        )


def _train_boxes(folders: _Folders, key: str, image_id: str, draft: ManifestDraft) -> ImageBoxes:
    """Boxes of an image that is held out as val, where train has annotations."""
    xml = folders.annotations / "train" / key / f"{image_id}.xml"
    if not xml.is_file():
        return NOTHING
    boxes = read_xml(xml, draft.findings)
    if boxes.key and boxes.key != key:
        draft.findings.append(f"{xml}: the object is {boxes.key}, but the folder is {key}")
    return boxes


def _names(folders: _Folders, root: Path, draft: ManifestDraft) -> dict[str, str]:
    """Class names by wnid; a class without one is called by its wnid."""
    if path := folders.table(root, "LOC_synset_mapping.txt"):
        rows = [text.split(None, 1) for _, text in read_lines(path)]
        return {row[0]: row[-1] for row in rows}
    draft.notes.append("there is no LOC_synset_mapping.txt: classes are called by their wnid")
    return {}


def _image_names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.name.lower().endswith(SUFFIXES))


def _stem(name: str) -> str:
    return name.rpartition(".")[0]
