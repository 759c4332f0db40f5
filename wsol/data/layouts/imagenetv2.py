"""ImageNetV2, threshold-0.7 (Recht et al. 2019), with the boxes of Choe et al. (2020): ImageNet's val.

Images lie by class number: ``<class>/<file>``. The boxes know them as ``<class>/0.jpeg`` to ``9.jpeg``;
newer releases of the images name them by a hash, which wsolevaluation's mapping.txt translates.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from wsol.data.layouts.imagenet_classes import COUNT, imagenet_classes
from wsol.data.layouts.layout import Layout
from wsol.data.manifest.box_conventions import half_open
from wsol.data.manifest.manifest_draft import DraftBox, DraftImage, ManifestDraft, bare_id
from wsol.data.manifest.validation import bad_name
from wsol.errors import UserError
from wsol.files.text_tables import numbers, read_lines, whole_number

FOLDERS = (
    "val2",  # as wsolevaluation's script renames it
    "imagenetv2-threshold0.7",
    "imagenetv2-threshold0.7-format-val",
    ".",
)
BOXES = ("localization.txt", "ImageNetV2_boxes.txt")
SUFFIXES = (".jpeg", ".jpg", ".png")


def add_options(parser: ArgumentParser) -> None:
    """Where the boxes lie."""
    parser.add_argument(
        "--metadata",
        type=Path,
        metavar="DIR",
        help="folder of localization.txt (wsolevaluation's metadata/ILSVRC/val) or of "
        "ImageNetV2_boxes.txt (its release); default: ROOT",
    )


def read(root: Path, options: Namespace) -> ManifestDraft:
    """Read the images below ``root`` or one of the folders they are unpacked to, as the split val."""
    folder = find_images(root)
    if folder is None:
        raise UserError(
            f"{root}: no ImageNetV2 there: no class folders 0 to 999, in it or in {FOLDERS[0]}"
        )
    draft = ManifestDraft("imagenetv2", "ImageNetV2 threshold-0.7", "2019", root, [], ())
    draft.reference_corners = True
    draft.classes = list(imagenet_classes())
    draft.images = val_images(root, folder, options.metadata or root, draft)
    return draft


LAYOUT = Layout(read, add_options)


def find_images(root: Path) -> Path | None:
    """The folder below ``root`` that holds class folders 0 to 999, or some of them."""
    return next((root / name for name in FOLDERS if _class_folders(root / name)), None)


def val_images(root: Path, folder: Path, metadata: Path, draft: ManifestDraft) -> list[DraftImage]:
    """The images of ``folder`` with their boxes, as val; labels go by the wnids in ``draft.classes``.

    Images of classes that are not there are left out. What is wrong goes to the draft's findings.
    """
    labels = {key: label for label, (_, key) in enumerate(draft.classes)}
    boxes = _boxes(metadata, draft)
    official = _mapping(metadata / "mapping.txt", draft)
    images, unboxed = [], 0
    for number, file in _files(folder):
        label = labels.get(imagenet_classes()[number].key)
        if label is None:
            continue
        name = f"{number}/{file.name}"
        name = official.get(name, name)
        found = tuple(boxes.pop(name, ()))
        unboxed += not found
        path = file.relative_to(root).as_posix()
        where = found[0].where if found else path
        images.append(DraftImage(f"val2/{bare_id(name)}", path, label, "val", found, where=where))
    if unboxed:
        draft.notes.append(
            f"{unboxed} ImageNetV2 images have no box: the boxes are missing, or mapping.txt "
            "where files are named by a hash"
        )
    return images


def _boxes(metadata: Path, draft: ManifestDraft) -> dict[str, list[DraftBox]]:
    """Boxes by ``class/file``; corners are inclusive, an x1 equal to the width is clipped."""
    path = next((metadata / name for name in BOXES if (metadata / name).is_file()), None)
    if path is None:
        draft.notes.append(f"{metadata} has no boxes of ImageNetV2, neither {' nor '.join(BOXES)}")
        return {}
    boxes: dict[str, list[DraftBox]] = {}
    for line, text in read_lines(path):
        name, *texts = (cell.strip() for cell in text.split(","))
        where = f"{path} line {line}"
        if line == 1 and name == "image_id":
            continue
        if problem := bad_name(name, "image"):
            draft.findings.append(f"{where}: {problem}")
        elif len(texts) != 4:
            draft.findings.append(f"{where}: {len(texts)} values after {name!r} where there should be 4")
        elif (source := numbers(texts, where, draft.findings)) is not None:
            x0, y0, x1, y1 = source
            box = DraftBox(half_open(source, "inclusive"), (x0, y0, x1, y1), where)
            boxes.setdefault(name.removeprefix("val2/"), []).append(box)
    return boxes


def _mapping(path: Path, draft: ManifestDraft) -> dict[str, str]:
    """Names the boxes go by, ``class/0.jpeg``, of files named by a hash; empty without the table."""
    names: dict[str, str] = {}
    for line, text in read_lines(path) if path.is_file() else ():
        cells = [cell.strip() for cell in text.split(",")]
        if len(cells) != 2:
            draft.findings.append(f"{path} line {line}: not two names")
        elif problem := bad_name(cells[0], "image"):
            draft.findings.append(f"{path} line {line}: {problem}")
        else:
            names[cells[1]] = cells[0]
    return names


def _files(folder: Path) -> Iterator[tuple[int, Path]]:
    """Class number and path of each image."""
    for number, place in _class_folders(folder):
        for path in sorted(place.iterdir()):
            if path.suffix.lower() in SUFFIXES:
                yield number, path


def _class_folders(folder: Path) -> list[tuple[int, Path]]:
    """Class number and folder of each class, in the order of numbers; ``0012`` is 12 too."""
    if not folder.is_dir():
        return []
    numbered = ((whole_number(entry.name), entry) for entry in folder.iterdir() if entry.is_dir())
    return sorted((number, entry) for number, entry in numbered if number is not None and number < COUNT)
