"""wsolevaluation's metadata as a data set: all that its evaluation needs, with image files or without.

CUB's boxes there are x, y, x + width, y + height, so half-open, but clipped to the last pixel;
ILSVRC's and ImageNetV2's are inclusive. Labels keep the numbers they have there.
"""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from wsol.data.layouts.imagenet_classes import COUNT, imagenet_classes
from wsol.data.layouts.layout import Layout
from wsol.data.layouts.wsoleval_tables import MetadataSplit, is_metadata, read_metadata
from wsol.data.manifest.box_conventions import BOX_CONVENTIONS
from wsol.data.manifest.manifest_draft import DraftClass, DraftImage, ManifestDraft, bare_id
from wsol.errors import UserError

SPLITS = ("train", "val", "test")


def add_options(parser: ArgumentParser) -> None:
    """Where the images lie, if they do, and what to call a lone split."""
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="folder that the image ids start from; without it images are known by their ids only",
    )
    parser.add_argument(
        "--split",
        choices=SPLITS,
        help="split of a ROOT that holds the four tables itself; default: its name",
    )
    parser.add_argument(
        "--corners",
        choices=sorted(BOX_CONVENTIONS),
        help="what x1, y1 mean; default: half-open for CUB, else inclusive",
    )


def read(root: Path, options: Namespace) -> ManifestDraft:
    """Read the metadata of one data set: its train, val, test or some of them, or one split itself."""
    folders = {name: root / name for name in SPLITS if is_metadata(root / name)}
    if not folders and is_metadata(root):
        folders = {options.split or (root.name if root.name in SPLITS else "test"): root}
    if not folders:
        raise UserError(
            f"{root}: no metadata there: none of train, val, test holds class_labels.txt; name "
            "the folder of one data set, e.g. metadata/CUB"
        )
    findings: list[str] = []
    first = next(iter(folders.values()))
    dataset = _dataset(read_metadata(first, []))
    convention = options.corners or ("half-open" if dataset == "cub" else "inclusive")
    splits = {
        name: read_metadata(folder, findings, convention=convention) for name, folder in folders.items()
    }
    draft = ManifestDraft(dataset, root.name, "", options.images or root, [], (), findings)
    draft.files_needed = False
    draft.classes = _classes(dataset, splits.values())
    draft.images = list(_images(splits, draft))
    return draft


LAYOUT = Layout(read, add_options)


def _dataset(split: MetadataSplit) -> str:
    """Whose metadata these are, by the form of the ids: that data set's card and name are used."""
    image_id = next(iter(split.labels), "")
    folder = PurePosixPath(image_id).parent.name
    if image_id.startswith("val2/") or "ILSVRC2012_" in image_id or re.fullmatch(r"n\d{8}", folder):
        return "imagenet"
    if re.match(r"\d{3}\.", folder):
        return "cub"
    return "openimages" if not split.sizes and not split.boxes else "wsolevaluation"


def _classes(dataset: str, splits) -> list[DraftClass]:
    """Classes by number: ImageNet's own, else the folders of the images, else the number."""
    folders: dict[int, set[str]] = defaultdict(set)
    for split in splits:
        for image_id, label in split.labels.items():
            folders[label].add(PurePosixPath(image_id).parent.name)
    count = max(folders, default=-1) + 1
    if dataset == "imagenet" and count <= COUNT:
        return list(imagenet_classes())
    keys = {label: min(names) for label, names in folders.items() if len(names) == 1}
    if len(set(keys.values())) != len(folders):
        keys = {}
    names = [keys.get(label) or f"class {label}" for label in range(count)]
    return [DraftClass(name, name) for name in names]


def _images(splits: dict[str, MetadataSplit], draft: ManifestDraft) -> Iterator[DraftImage]:
    assert draft.root is not None
    absent = unmasked = 0
    for name, split in splits.items():
        unboxed = len(split.boxes) if name == "train" else 0
        if unboxed:
            draft.notes.append(
                f"boxes of {unboxed} train images are left out: train has image labels only"
            )
        for image_id, label in split.labels.items():
            boxes = () if name == "train" else tuple(split.boxes.get(image_id, ()))
            masks = () if name == "train" else tuple(split.masks.get(image_id, ()))
            there = (draft.root / image_id).is_file()
            absent += not there
            if masks and not there:
                # Neither the image nor, for OpenImages, the table says how large such an image is.
                masks, unmasked = (), unmasked + 1
            size, where = split.sizes.get(image_id), split.where[image_id]
            yield DraftImage(bare_id(image_id), image_id, label, name, boxes, masks, size, where)
    if absent:
        draft.notes.append(
            f"{absent} images are listed without their file (--images names where they lie)"
        )
    if unmasked:
        draft.notes.append(f"{unmasked} images are without their masks, since their file is not there")
