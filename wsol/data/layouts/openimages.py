"""OpenImages30k (Choe et al. 2020, from OpenImages V5): masks of instances, and of what is not scored.

Images and mask PNGs lie under one root by the ids of wsolevaluation's metadata, e.g.
``test/01226z/7af766bd43da900b.jpg`` beside its masks.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from wsol.data.layouts.layout import Layout
from wsol.data.layouts.wsoleval_tables import MetadataSplit, is_metadata, read_metadata
from wsol.data.manifest.manifest_draft import DraftClass, DraftImage, ManifestDraft, bare_id
from wsol.data.splits.held_out_val import add_split_options, plan_train
from wsol.errors import UserError

SPLITS = ("train", "val", "test")


def add_options(parser: ArgumentParser) -> None:
    """Where the metadata lie, beside the split options."""
    parser.add_argument(
        "--metadata",
        type=Path,
        metavar="DIR",
        help="wsolevaluation's metadata/OpenImages (train, val, test); default: ROOT/metadata or ROOT",
    )
    add_split_options(parser)
    parser.set_defaults(val_fold=0)


def read(root: Path, options: Namespace) -> ManifestDraft:
    """Read the images below ``root`` that the metadata list."""
    candidates = [options.metadata] if options.metadata else [root / "metadata", root]
    base = next(
        (folder for folder in candidates if any(is_metadata(folder / name) for name in SPLITS)), None
    )
    if base is None:
        raise UserError(
            f"{candidates[0]}: no metadata there; --metadata names wsolevaluation's metadata/OpenImages"
        )
    draft = ManifestDraft("openimages", "OpenImages30k", "", root, [], ())
    splits = {
        name: read_metadata(base / name, draft.findings) for name in SPLITS if is_metadata(base / name)
    }
    draft.classes = _classes(splits, draft)
    train = splits["train"].labels if "train" in splits else {}
    plan = plan_train(
        [(bare_id(image_id), label) for image_id, label in train.items()],
        options,
        has_val="val" in splits,
    )
    draft.notes += plan.notes
    draft.val_fold = plan.val_fold
    draft.images = list(plan.place(_images(root, splits, draft)))
    return draft


LAYOUT = Layout(read, add_options)


def _images(root: Path, splits: dict[str, MetadataSplit], draft: ManifestDraft) -> Iterator[DraftImage]:
    for name, split in splits.items():
        masks = split.masks if name != "train" else {}
        names = {mask for pairs in masks.values() for pair in pairs for mask in pair if mask}
        if names and not any((root / mask).is_file() for mask in names):
            draft.notes.append(
                f"{name}: no mask file is there; fetch the segmentation masks to score it"
            )
            masks = {}
        for image_id, label in split.labels.items():
            pairs = tuple(masks.get(image_id, ()))
            where = split.where[image_id]
            yield DraftImage(bare_id(image_id), image_id, label, name, (), pairs, None, where)


def _classes(splits: dict[str, MetadataSplit], draft: ManifestDraft) -> list[DraftClass]:
    """Classes by number; one whose images lie in several folders is a finding."""
    folders: dict[int, str] = {}
    for split in splits.values():
        for image_id, label in split.labels.items():
            folder = _folder(image_id)
            if folders.setdefault(label, folder) != folder:
                draft.findings.append(
                    f"{split.where[image_id]}: class {label} is {folders[label]} elsewhere, but "
                    f"{image_id} lies in {folder}"
                )
    keys = [folders.get(label, f"class {label}") for label in range(max(folders, default=-1) + 1)]
    return [DraftClass(key, key) for key in keys]


def _folder(image_id: str) -> str:
    """The class's Freebase id, the folder its images lie in."""
    return PurePosixPath(image_id).parent.name
