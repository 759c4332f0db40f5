"""The proposals of a manifest's images, in its folder: a file for every 32 images of a split.

A file's name says of which images it is and by which rules, so that one that is there is right, and work
that was stopped goes on after the last one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsol.data.manifest.manifest import ManifestSplit
from wsol.errors import UserError
from wsol.files.array_file import deterministic_npz
from wsol.files.numpy_file import Limit, read_arrays
from wsol.files.pictures.images import open_image
from wsol.files.writing.atomic import write_bytes
from wsol.maps.proposals.merged_regions import proposals

FOLDER = "proposals"
# One higher whenever the boxes of an image become others.
VERSION = 1
IMAGES = 32  # a file
MOST = Limit(IMAGES * 10**5, IMAGES * 10**6)


@dataclass(frozen=True)
class ProposalFile:
    """The proposals of some images of a manifest: of ``paths``, turned as their EXIF tag says or not."""

    path: Path
    paths: tuple[str, ...]
    exif: bool

    def write(self) -> Path:
        """Propose, and write the file whole or not at all; ``UserError`` for a file that is no image."""
        boxes = [proposals(open_image(path, exif=self.exif)) for path in self.paths]
        counts = np.array([len(own) for own in boxes], np.int32)
        content = {"boxes": np.concatenate(boxes), "counts": counts}
        return write_bytes(self.path, deterministic_npz(content))

    def read(self) -> list[np.ndarray]:
        """Boxes (n, 4) of each image in shares of its sides; ``UserError`` where the file is damaged."""
        try:
            arrays = dict(read_arrays(self.path, MOST))
            boxes, counts = arrays["boxes"], arrays["counts"]
            if len(counts) != len(self.paths) or boxes.shape != (counts.sum(), 4):
                raise ValueError(f"boxes {boxes.shape} of {len(counts)} images")
        except (KeyError, ValueError) as error:
            raise UserError(
                f"{self.path}: damaged ({error}): delete it and run `wsol propose`"
            ) from None
        return np.split(boxes, np.cumsum(counts)[:-1])


def proposal_files(images: ManifestSplit) -> list[ProposalFile]:
    """The files of a split, in its order, whether they are there or not."""
    manifest = images.manifest
    folder, root = manifest.folder / FOLDER, manifest.root.as_posix()
    paths = list(dict.fromkeys(images.paths))  # an image that several queries ask about counts once
    return [
        ProposalFile(folder / f"{_name(chunk, root, manifest.exif)}.npz", tuple(chunk), manifest.exif)
        for chunk in _chunks(paths)
    ]


def read_proposals(images: ManifestSplit) -> dict[str, np.ndarray]:
    """Boxes (n, 4) in shares of the image's sides by image id; ``UserError`` where any are missing."""
    manifest = images.manifest
    # Files are of whole splits: some of its images may be asked for.
    files = proposal_files(manifest.split(images.name))
    if missing := sum(not file.path.is_file() for file in files):
        raise UserError(
            f"{manifest.folder}: {missing} of {len(files)} files of proposals of split {images.name!r} "
            f"are missing: run `wsol propose {manifest.folder} --split {images.name}`"
        )
    boxes = {path: own for file in files for path, own in zip(file.paths, file.read(), strict=True)}
    return {image_id: boxes[path] for image_id, path in zip(images.image_ids, images.paths, strict=True)}


def _name(paths: Sequence[str], root: str, exif: bool) -> str:
    """Of the images by their places under the root: a data set that was moved keeps its proposals."""
    places = [path.removeprefix(root) for path in paths]
    text = "\n".join([str(VERSION), str(exif), *places])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _chunks(paths: list[str]) -> Iterator[list[str]]:
    return (paths[start : start + IMAGES] for start in range(0, len(paths), IMAGES))
