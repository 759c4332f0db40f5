"""Anyone's images: a folder, class subfolders if any, and annotations in whatever format there are."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject
from wsol.data.annotations.annotation_matching import ImageNames, join_sources, match_images
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.any_format import png_files, read_source
from wsol.data.annotations.listing.image_listing import files_below, list_images
from wsol.data.annotations.mask_values import HELP as MASK_VALUES_HELP
from wsol.data.annotations.mask_values import MaskValues
from wsol.data.annotations.masks.mask_files import read_masks
from wsol.data.annotations.masks.mask_survey import survey_masks
from wsol.data.annotations.shares import in_pixels
from wsol.data.layouts.custom_listing import Listing
from wsol.data.layouts.custom_masks import MaskTable
from wsol.data.layouts.layout import Layout
from wsol.data.manifest.box_conventions import BOX_CONVENTIONS
from wsol.data.manifest.manifest import Manifest
from wsol.data.manifest.manifest_draft import DraftClass, DraftImage, ManifestDraft
from wsol.data.manifest.manifest_writing import write_manifest
from wsol.data.manifest.validation import bad_name
from wsol.data.splits.held_out_val import add_split_options, plan_train
from wsol.errors import UserError
from wsol.files.pictures.images import image_size

RESULTS = "; a detector's results name images by COCO's ids: give the COCO JSON that lists them"


def add_options(parser: ArgumentParser) -> None:
    """Where the annotations lie and what they mean."""
    parser.add_argument(
        "--annotations",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="COCO .json, .csv, a folder of LabelMe .json, VOC or CVAT .xml, YOLO .txt or masks; "
        "several are joined",
    )
    conventions = "; ".join(f"{name}: {meaning}" for name, meaning in BOX_CONVENTIONS.items())
    parser.add_argument(
        "--corners",
        choices=sorted(BOX_CONVENTIONS),
        help=f"how corners of boxes are written ({conventions}); default: voc for XML, half-open "
        "for CSV",
    )
    parser.add_argument(
        "--split",
        default="test",
        help="split of annotated images, the others being train; splits of the CSV and folders called "
        "train, val (or valid, validation), test go before it",
    )
    parser.add_argument(
        "--plain-folders", action="store_true", help="folders name neither classes nor splits"
    )
    parser.add_argument(
        "--skip",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="folders and files below the root that are no images of the set",
    )
    parser.add_argument(
        "--stored-pixels", action="store_true", help="do not turn images as their EXIF tag says"
    )
    parser.add_argument("--mask-values", nargs="+", metavar="NAME=VALUES", help=MASK_VALUES_HELP)
    add_split_options(parser)
    # For scoring alone (`wsol evaluate --images`) every annotated image is of the one split.
    parser.set_defaults(val_fold=0, one_split=False)


def read(root: Path, options: Namespace) -> ManifestDraft:
    """Read the images below ``root`` with what ``--annotations`` says of them."""
    draft = ManifestDraft("custom", root.resolve().name, "", root, [], ())
    draft.exif = not options.stored_pixels
    files, unreadable, left_out = list_images(root, options.skip, options.annotations)
    if not files:
        raise UserError.of(unreadable or [f"{root}: no images there", *left_out])
    draft.findings += unreadable
    draft.notes += left_out
    annotated = _annotations(root, files, options, draft)
    listing = Listing(
        files,
        annotated,
        options.split,
        plain_folders=options.plain_folders,
        one_split=options.one_split,
    )
    draft.classes = [DraftClass(name, name) for name in listing.classes]
    draft.findings += [problem for name in listing.classes if (problem := bad_name(name, "class"))]
    draft.findings += listing.findings
    ids = _image_ids(files)
    objects = {file: listing.objects(file) for file in annotated}
    masks = MaskTable(root, objects, ids, exif=draft.exif)
    if masks.drawn:
        draft.masks_in_manifest = True
        draft.write_files = lambda folder: masks.draw(folder, draft.findings)
    images = [_image(file, ids[file], listing, objects.get(file, ()), masks) for file in files]
    train = [(image.image_id, image.label or 0) for image in images if image.split == "train"]
    has_val = "val" in listing.splits.values()
    plan = plan_train(train, options, has_val=has_val)
    draft.notes += plan.notes + listing.notes
    if options.val_fold and not plan.val:
        why = "there is a val" if has_val else "no class has two train images"
        draft.notes.append(f"--val-fold {options.val_fold} holds out nothing: {why}")
    draft.val_fold = plan.val_fold
    draft.images = list(plan.place(images))
    return draft


LAYOUT = Layout(read, add_options)


def custom_manifest(
    images_dir: Path | str,
    annotations: Path | str | Sequence[Path | str],
    output: Path | str,
    *,
    skip: Path | str | Sequence[Path | str] = (),
    **options: object,
) -> Manifest:
    """Write the manifest of a folder of images and its annotations to ``output``, and read it.

    ``skip`` are folders and files that are no images of the set, e.g. where results will be written;
    ``options`` the others of ``wsol prepare custom``, e.g. ``corners="voc"``. ``UserError`` lists all
    that is wrong; nothing is written then.
    """
    given = LAYOUT.options(annotations=_paths(annotations), skip=_paths(skip), **options)
    write_manifest(output, read(Path(images_dir), given))
    return Manifest.read(output)


def _paths(given: Path | str | Sequence[Path | str]) -> list[Path]:
    return [Path(path) for path in ([given] if isinstance(given, str | Path) else given)]


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
        where=str(said.where) if said else "",
    )


def _annotations(
    root: Path, files: list[str], options: Namespace, draft: ManifestDraft
) -> dict[str, AnnotatedImage]:
    """What all sources say of each image; what is wrong with them goes to ``draft``."""
    pngs = png_files(root, files) if any(path.is_dir() for path in options.annotations) else frozenset()
    values = MaskValues.parse(options.mask_values) if options.mask_values else None
    reading = AnnotationPass(options.corners, pngs, draft.findings, draft.notes, mask_values=values)
    sources = [read_source(path, reading) for path in options.annotations]
    if not sources and any("images" in PurePosixPath(file).parts for file in files):
        sources = [survey_masks(root, _masks_beside(root, draft.findings), reading)]
    reading.check_options()
    names = ImageNames(files, root)
    matched = [match_images(names, images, draft.findings) for images in sources]
    missing = [image for _, absent in matched for image in absent]
    pixels = [
        {file: _in_pixels(root / file, image, draft) for file, image in images.items()}
        for images, _ in matched
    ]
    found = join_sources(pixels, draft.findings)
    if missing and not found:
        draft.findings.append(
            f"{missing[0].where}: neither this ({missing[0].file!r}) nor any other annotated image is "
            f"in {root}" + RESULTS * reading.lists_only_found
        )
    elif missing:
        draft.notes.append(
            f"{len(missing)} of {len(missing) + len(found)} annotated images are not in the folder, "
            f"e.g. {missing[0].file} ({missing[0].where})"
        )
    return found


def _in_pixels(path: Path, image: AnnotatedImage, draft: ManifestDraft) -> AnnotatedImage:
    """The image with its boxes in pixels of its file; one that cannot be read is told of later."""
    if not image.shares:
        return image
    try:
        return in_pixels(image, image.size or image_size(path, exif=draft.exif))
    except (UserError, FileNotFoundError):
        return image


def _masks_beside(root: Path, findings: list[str]) -> list[AnnotatedImage]:
    """Masks in folders masks/ beside images/, which are read without --annotations."""
    paths = files_below(root, (".png",), findings)
    return read_masks(
        root, [path for path in paths if "masks" in path.relative_to(root).parts], findings
    )


def _image_ids(files: list[str]) -> dict[str, str]:
    """Ids are paths without suffix, as elsewhere; with it where two images differ in nothing else."""
    bare = {file: PurePosixPath(file).with_suffix("").as_posix() for file in files}
    counts = Counter(bare.values())
    return {file: name if counts[name] == 1 else file for file, name in bare.items()}
