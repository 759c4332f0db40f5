"""Anyone's images: a folder, class subfolders if any, and annotations in whatever format there are."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from wsol.data.annotated import AnnotatedImage, AnnotatedObject
from wsol.data.annotation_masks import read_mask_folder
from wsol.data.annotations import list_images, match_images, read_source
from wsol.data.checks import bad_name
from wsol.data.corners import RULES
from wsol.data.custom_listing import Listing
from wsol.data.custom_masks import MaskTable
from wsol.data.draft import DraftClass, DraftImage, ManifestDraft, Reader
from wsol.data.manifest import Manifest
from wsol.data.manifest_writing import write_manifest
from wsol.data.splits import add_split_options, plan_train
from wsol.errors import UserError


def add_options(parser: ArgumentParser) -> None:
    """Where the annotations lie and what they mean."""
    parser.add_argument(
        "--annotations",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="COCO .json, .csv, a folder of VOC .xml or of mask .png; several are joined",
    )
    rules = "; ".join(f"{name}: {meaning}" for name, meaning in RULES.items()).replace("%", "%%")
    parser.add_argument(
        "--corners",
        choices=sorted(RULES),
        help=f"how corners of boxes are written ({rules}); default: voc for XML, half-open for CSV",
    )
    parser.add_argument(
        "--split",
        default="test",
        help="split of annotated images, the others being train; splits of the CSV and folders called "
        "train, val, test go before it",
    )
    parser.add_argument(
        "--stored-pixels", action="store_true", help="do not turn images as their EXIF tag says"
    )
    add_split_options(parser)
    parser.set_defaults(val_fold=0)


def read(root: Path, options: Namespace) -> ManifestDraft:
    """Read the images below ``root`` with what ``--annotations`` says of them."""
    draft = ManifestDraft("custom", root.resolve().name, "", root, [], ())
    draft.exif = not options.stored_pixels
    files = list_images(root, skip=options.annotations)
    if not files:
        raise UserError(f"{root}: no images there")
    annotated = _annotations(root, files, options, draft)
    listing = Listing(files, annotated, options.split)
    draft.classes = [DraftClass(name, name) for name in listing.classes]
    draft.findings += [problem for name in listing.classes if (problem := bad_name(name, "class"))]
    ids = _image_ids(files)
    objects = {file: listing.objects(file) for file in annotated}
    masks = MaskTable(root, objects, ids, exif=draft.exif)
    if masks.drawn:
        draft.masks_in_manifest = True
        draft.write_files = lambda folder: masks.draw(folder, draft.findings)
    images = [_image(file, ids[file], listing, objects.get(file, ()), masks) for file in files]
    train = [(image.image_id, image.label or 0) for image in images if image.split == "train"]
    plan = plan_train(train, options, has_val="val" in listing.splits.values())
    draft.notes += plan.notes + listing.notes()
    draft.val_fold = plan.val_fold
    draft.images = list(plan.place(images))
    return draft


READER = Reader(read, add_options)


def custom_manifest(
    images_dir: Path | str,
    annotations: Path | str | Sequence[Path | str],
    output: Path | str,
    **options: object,
) -> Manifest:
    """Write the manifest of a folder of images and its annotations to ``output``, and read it.

    ``options`` are those of ``wsol prepare custom``, e.g. ``corners="voc"``. ``UserError`` lists all
    that is wrong; nothing is written then.
    """
    paths = [annotations] if isinstance(annotations, str | Path) else annotations
    given = READER.options(annotations=[Path(path) for path in paths], **options)
    write_manifest(output, read(Path(images_dir), given))
    return Manifest.read(output)


def _image(
    file: str, image_id: str, listing: Listing, objects: Iterable[AnnotatedObject], masks: MaskTable
) -> DraftImage:
    said = listing.annotated.get(file)
    return DraftImage(
        image_id=image_id,
        path=file,
        label=listing.numbers.get(listing.labels[file]),
        split=listing.splits[file],
        boxes=tuple(item.box for item in objects if item.box and not item.ignore),
        masks=masks.rows(file),
        size=said.size if said else None,
        where=said.where if said else "",
    )


def _annotations(
    root: Path, files: list[str], options: Namespace, draft: ManifestDraft
) -> dict[str, AnnotatedImage]:
    images: list[AnnotatedImage] = []
    for path in options.annotations:
        images += read_source(path, options.corners, draft.findings)
    if not options.annotations and any("images" in PurePosixPath(file).parts for file in files):
        # Folders masks/ beside images/ speak for themselves.
        images = [
            image for image in read_mask_folder(root) if "masks" in PurePosixPath(image.file).parts
        ]
    found, missing = match_images(files, images, draft.findings)
    if images and not found:
        draft.findings.append(
            f"{images[0].where}: neither this nor any other annotated image is in {root}"
        )
    if missing:
        draft.notes.append(
            f"{len(missing)} annotated images are not in the folder, e.g. {missing[0].file} "
            f"({missing[0].where})"
        )
    return found


def _image_ids(files: list[str]) -> dict[str, str]:
    """Ids are paths without suffix, as elsewhere; with it where two images differ in nothing else."""
    bare = {file: PurePosixPath(file).with_suffix("").as_posix() for file in files}
    counts = Counter(bare.values())
    return {file: name if counts[name] == 1 else file for file, name in bare.items()}
