"""What reading a data set's layout gives to the manifest writer: one image after the other.

Reading a layout lists files and parses annotations; it opens no image. The writer reads sizes, clips
boxes and checks everything, in the same way for all layouts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple


class DraftBox(NamedTuple):
    """One box: half-open ``x0, y0, x1, y1`` in pixels, the source's numbers, and where they stand.

    ``source`` is the source's own corners, unconverted and unclipped; ``where`` a file and a line
    for error messages. ``label``, an index into the draft's classes, and ``instance``, a number that no
    other box of the image has, are for images that show several things; None where they are not said.
    """

    box: tuple[float, float, float, float]
    source: tuple[float, float, float, float]
    where: str
    label: int | None = None
    instance: int | None = None


class DraftImage(NamedTuple):
    """One image of the data set.

    ``path`` and the mask paths are relative to the root, with forward slashes. ``label`` is an
    index into the draft's classes, or None where the source has none. ``size`` is the
    (height, width) that the annotation was made for, None where it does not say; it is compared
    with the image file. ``masks`` are pairs (mask, ignore), either may be empty. ``parts`` is the
    path of a PNG whose pixels are codes of parts, relative as the masks are; empty where there is none.
    """

    image_id: str
    path: str
    label: int | None
    split: str
    boxes: tuple[DraftBox, ...] = ()
    masks: tuple[tuple[str, str], ...] = ()
    size: tuple[int, int] | None = None
    where: str = ""
    parts: str = ""

    @property
    def annotated(self) -> bool:
        """Whether anything says where the object is."""
        return bool(self.boxes or self.masks or self.parts)


def bare_id(path: str) -> str:
    """The usual id of an image, its path without suffix: score maps of ``a/1.jpeg`` are ``a/1.npy``."""
    return PurePosixPath(path).with_suffix("").as_posix()


class DraftClass(NamedTuple):
    """A class: ``name`` for people, ``key`` (wnid, folder name) to match models with."""

    name: str
    key: str


@dataclass
class ManifestDraft:
    """A data set on its way to the disk.

    Attributes:
        dataset: the registered name, e.g. ``cub``.
        title: what people call it; ``version`` as its makers number it.
        root: folder that all paths are relative to; None means the manifest's own folder.
        classes: in label order.
        images: consumed once and streamed, so a generator serves 1.28 million of them.
        findings: contradictions found while reading, a line each, also those that come up while
            ``images`` is consumed; any makes the whole manifest an error.
        notes: what a user should know, e.g. what is missing; also may grow while consumed.
        exif: pictures are turned as their EXIF tag says (photographs annotated as seen). False
            for the official sets, whose boxes and reference code mean the stored pixels.
        reference_corners: the source's corners are clipped to the last pixel (width - 1, height - 1), as
            wsolevaluation's metadata of CUB and ILSVRC are.
        write_files: called with the manifest's folder before ``images`` is consumed, where files are
            generated rather than found: all of them (``root`` is None then), or the masks.
        masks_in_manifest: mask paths are relative to the manifest's folder instead of to the root.
        files_needed: images without a file are left out; False keeps them at the size their annotation
            says, to score maps made elsewhere.
        open_unannotated: read the header of images without boxes or masks too; False only lists them.
        total: how many images there are to look at, where ``images`` has no length; for the progress.
        expected: counts by the data set's card, to say what is missing; see `wsol.data.manifest.cards`.
        part_names: what the codes in the images' ``parts`` are called, by code from 1 to 255.
        queries: images of val and test are scored by queries, one for each class that their boxes show
            (`wsol.data.manifest.queries`); each of these boxes needs its label.
        variant: which of several data sets of one card it is; people call it by both.
        drawn: what a generator drew the images by, where one did: two that share all tables but not this
            are two data sets.
        val_fold: how a val fold was held out of train, empty where it was not.
    """

    dataset: str
    title: str
    version: str
    root: Path | None
    classes: list[DraftClass]
    images: Iterable[DraftImage]
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    exif: bool = False
    reference_corners: bool = False
    write_files: Callable[[Path], None] | None = None
    masks_in_manifest: bool = False
    files_needed: bool = True
    open_unannotated: bool = True
    total: int = 0
    expected: dict[str, Any] = field(default_factory=dict)
    part_names: dict[int, str] = field(default_factory=dict)
    queries: bool = False
    variant: str = ""
    drawn: dict[str, Any] = field(default_factory=dict)
    val_fold: dict[str, Any] = field(default_factory=dict)
