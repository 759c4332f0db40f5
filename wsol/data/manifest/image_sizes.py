"""Sizes of images and masks, read from their headers while a manifest is written."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from wsol.data.manifest.exif_hints import HeaderTally, box_problems, size_hint
from wsol.data.manifest.manifest_draft import DraftImage, ManifestDraft
from wsol.data.manifest.validation import bad_size, unnamed_codes
from wsol.errors import UserError
from wsol.files.pictures.images import ImageHeader, image_header, image_size, open_codes
from wsol.files.pictures.mask_file import codes_in

CHUNK = 4096  # images sized at a time: what keeps memory flat
TASK = 64  # images a thread takes at once: handing over one costs more than reading its header
WAITS = 2.0  # wall clock over processor time; above it, reading headers mostly waits for the storage


class SizedImage(NamedTuple):
    """An image with its (height, width): (0, 0) where not opened, None where there is no file.

    ``problems`` say what is wrong with its files, a line each; ``turned`` what `size_hint` says.
    """

    image: DraftImage
    size: tuple[int, int] | None
    problems: tuple[str, ...] = ()
    turned: str = ""


def sized_images(
    draft: ManifestDraft, root: Path, mask_root: Path, workers: int
) -> Iterator[SizedImage]:
    """Each image of the draft, in order, a chunk at a time.

    Where storage is slow to answer, ``workers`` threads read headers. Where files are in memory, one
    thread does: several would mostly wait for Python's lock and take more than twice as long.
    """

    def measure(image: DraftImage) -> SizedImage:
        if not (draft.open_unannotated or image.annotated):
            return SizedImage(image, (0, 0))
        try:
            header = image_header(f"{folder}/{image.path}")
        except FileNotFoundError:
            return _without_file(image, draft)
        except UserError as error:
            return SizedImage(image, None, (str(error),))
        size = header.seen if draft.exif else header.stored
        tally.add(image, header, draft)
        problems = [
            *box_problems(image, header, draft),
            *_mask_problems(image, size, mask_root, draft, header),
        ]
        return SizedImage(image, size, tuple(problems), size_hint(header, image.size, draft))

    def measure_all(several: list[DraftImage]) -> list[SizedImage]:
        return [measure(image) for image in several]

    folder, images, tally = root.as_posix(), iter(draft.images), HeaderTally()
    with ThreadPoolExecutor(workers) as pool:
        while chunk := list(itertools.islice(images, CHUNK)):
            first, *tasks = (chunk[start : start + TASK] for start in range(0, len(chunk), TASK))
            wall, own = time.perf_counter(), time.thread_time()
            measured = measure_all(first)
            waited = time.perf_counter() - wall > WAITS * (time.thread_time() - own)
            yield from measured
            for measured in (pool.map if waited else map)(measure_all, tasks):
                yield from measured
    draft.notes += tally.notes()


def _without_file(image: DraftImage, draft: ManifestDraft) -> SizedImage:
    """The size that the annotation says: enough to score maps from a folder without the images."""
    if draft.files_needed:
        return SizedImage(image, None)
    if image.size is None and image.annotated:
        return SizedImage(image, None, (f"{image.where}: neither {image.path} nor its size is there",))
    size = image.size or (0, 0)
    problem = bad_size(*size)
    return SizedImage(image, size, (f"{image.where}: {problem}",) if problem else ())


def _mask_problems(
    image: DraftImage, size: tuple[int, int], mask_root: Path, draft: ManifestDraft, header: ImageHeader
) -> Iterator[str]:
    for name in filter(None, (*itertools.chain.from_iterable(image.masks), image.parts)):
        path = f"{mask_root}/{name}"
        # What was written a moment ago lies in a temporary folder: its source is what the reader knows.
        shown = image.where if draft.masks_in_manifest and image.where else path
        try:
            found = image_size(path)
        except FileNotFoundError:
            # One that could not be written was reported when it could not be read.
            if not (draft.masks_in_manifest and draft.findings):
                yield f"{path}: no such mask, which {image.where or image.path} names"
        except UserError as error:
            yield str(error)
        else:
            if found != size:
                yield (
                    f"{shown}: mask of {found[1]} x {found[0]} pixels, but {image.path} has "
                    f"{size[1]} x {size[0]}{size_hint(header, found, draft)}"
                )
            elif name == image.parts and draft.part_names:
                yield from _part_problems(path, draft.part_names)


def _part_problems(path: str, part_names: Mapping[int, str]) -> Iterator[str]:
    """Unlike a mask's, the pixels are looked at: each code must have a name."""
    try:
        found = codes_in(open_codes(path))
    except UserError as error:
        yield str(error)
    else:
        yield from unnamed_codes(path, found, part_names)
