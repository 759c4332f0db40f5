"""Object Discovery (Rubinstein, Joulin, Kopf and Liu 2013): three classes, a mask an image, and noise.

``Data/Airplane100/0001.jpg`` has ``Data/Airplane100/GroundTruth/0001.png``; some images do not show
their class, their masks are empty. The full sets (``Data/Airplane``) have masks for some images only.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from wsol.data.layouts.layout import Layout
from wsol.data.manifest.manifest_draft import DraftClass, DraftImage, ManifestDraft
from wsol.data.splits.held_out_val import add_split_options, plan_train
from wsol.errors import UserError

MASKS = "GroundTruth"
SUFFIXES = (".jpg", ".jpeg", ".png")


def add_options(parser: ArgumentParser) -> None:
    """Which of the release's sets, beside the split options."""
    parser.add_argument(
        "--sets",
        choices=("100", "full"),
        help="the 100-image sets, all masked, or the full ones; default: the former if they are there",
    )
    add_split_options(parser)
    parser.set_defaults(val_fold=0)


def read(root: Path, options: Namespace) -> ManifestDraft:
    """Read the sets below ``root/Data`` or ``root``: images with a mask are test, others train."""
    base = next((folder for folder in (root / "Data", root) if _sets(folder)), None)
    if base is None:
        raise UserError(f"{root}: no Object Discovery there: no Data/<Class>/{MASKS}")
    folders = _sets(base)
    small = [folder for folder in folders if folder.name.endswith("100")]
    full = [folder for folder in folders if folder not in small]
    chosen = full if options.sets == "full" or not (small or options.sets) else small
    if not chosen:
        raise UserError(f"{base}: none of the {options.sets} sets is there, only {folders[0].name}")
    draft = ManifestDraft("object_discovery", "Object Discovery", "2013", root, [], ())
    if small and full:
        draft.notes.append(f"the {'full' if chosen is full else '100-image'} sets are read (--sets)")
    keys = [folder.name.removesuffix("100") or folder.name for folder in chosen]
    draft.classes = [DraftClass(key, key) for key in keys]
    images = [
        image for label, folder in enumerate(chosen) for image in _images(root, folder, label, draft)
    ]
    train = [(image.image_id, image.label or 0) for image in images if image.split == "train"]
    plan = plan_train(train, options, has_val=False)
    draft.notes += plan.notes
    draft.val_fold = plan.val_fold
    draft.images = list(plan.place(images))
    return draft


LAYOUT = Layout(read, add_options)


def _sets(base: Path) -> list[Path]:
    """Class folders, sorted."""
    if not base.is_dir():
        return []
    return sorted(folder for folder in base.iterdir() if (folder / MASKS).is_dir())


def _images(root: Path, folder: Path, label: int, draft: ManifestDraft) -> Iterator[DraftImage]:
    masks = {path.stem: path for path in sorted((folder / MASKS).glob("*.png"))}
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES):
        mask = masks.pop(path.stem, None)
        names = ((mask.relative_to(root).as_posix(), ""),) if mask else ()
        yield DraftImage(
            image_id=f"{folder.name}/{path.stem}",
            path=path.relative_to(root).as_posix(),
            label=label,
            split="test" if mask else "train",
            masks=names,
            where=str(mask or path),
        )
    if masks:
        first = next(iter(masks.values()))
        draft.notes.append(f"{len(masks)} masks of {folder.name} have no image, e.g. {first.name}")
