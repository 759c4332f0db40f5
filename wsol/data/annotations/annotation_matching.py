"""Which image file an annotation belongs to: it may be named without its folder, suffix or accents."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from wsol.data.annotations.annotated import AnnotatedImage
from wsol.data.annotations.listing.image_listing import CONTAINERS, IMAGE_SUFFIXES, MASK_FOLDERS

# Folders named by the kind of files in them: these differ between an image and its annotation.
KINDS = {*CONTAINERS, *MASK_FOLDERS, "annotations", "Annotations", "labels"}
# How certain it is that a name means a file, the most certain first. Two annotations that fit one file
# in the first three ways contradict each other. One that fits in the other ways only is more likely
# the annotation of an image that is missing.
SAME, SAME_LETTERS, SAME_STEM, OTHER_SUFFIX, SAME_ENDING, SAME_ENDING_OTHER_SUFFIX = range(6)


class ImageNames:
    """The image files ``files`` below ``root``, to be found by the names that annotations give them.

    A name is tried as it stands, in Unicode's normal form, without its suffix, and at last as the
    ending of a file's path, or the other way round: ``1`` and ``birds/1`` find ``set/birds/1.jpg``,
    and ``cats/1`` does not. `beside` looks where the annotating file lies, if ``root`` is given.
    """

    def __init__(self, files: Iterable[str], root: Path | None = None) -> None:
        self._root = None if root is None else root.resolve()
        self._places: dict[Path, tuple[str, ...]] = {}
        self._files = frozenset(files)
        self._by_letters: defaultdict[str, list[str]] = defaultdict(list)
        self._by_path: defaultdict[str, list[str]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[str]] = defaultdict(list)
        for file in self._files:
            self._by_letters[_letters(file)].append(file)
            self._by_path[_bare(file)].append(file)
            self._by_stem[PurePosixPath(_bare(file)).name].append(file)

    def find(self, name: str) -> tuple[int, list[str]]:
        """How certain it is, and the files, sorted, that ``name`` may mean: none, one or several."""
        sureness, fits = self._whole(name)
        if fits:
            return sureness, fits
        if "%" in name and (plain := unquote(name)) != name:
            return self.find(plain)
        letters, bare = _letters(name), _bare(name)
        endings = [
            file for file in self._by_stem.get(PurePosixPath(bare).name, ()) if _end_alike(file, name)
        ]
        suffix = _suffix(letters)
        if fits := [file for file in endings if _suffix(_letters(file)) == suffix]:
            return SAME_ENDING, sorted(fits)
        return SAME_ENDING_OTHER_SUFFIX, sorted(endings)

    def beside(self, image: AnnotatedImage) -> tuple[int, list[str]]:
        """As `find`, among the images beside the file that annotates ``image``; none by default.

        Beside it is its own folder, one for images in it, and the folder for images that runs along its
        own: ``images/train`` along ``labels/train``.
        """
        if image.folder is None:
            return SAME, []
        names = [image.file]
        parent, _, name = image.file.rpartition("/")
        if parent and f"/{image.folder.as_posix()}".endswith(f"/{parent}"):
            names.append(name)  # its name tells folders that its place tells too
        if "%" in image.file:
            names += map(unquote, names[:])
        for place in self._places_of(image.folder):
            for name in names:
                sureness, fits = self._whole(f"{place}/{name}" if place else name)
                if fits:
                    return sureness, fits
        return SAME, []

    def below(self, folder: Path | None, files: list[str]) -> list[str]:
        """Those of ``files`` that lie below ``folder``."""
        if folder is None or self._root is None:
            return files
        return [file for file in files if (self._root / file).is_relative_to(folder.resolve())]

    def _whole(self, name: str) -> tuple[int, list[str]]:
        """As `find`, by the whole path only."""
        if name in self._files:
            return SAME, [name]
        if fits := self._by_letters.get(_letters(name)):
            return SAME_LETTERS, sorted(fits)
        fits = self._by_path.get(_bare(name), ())
        return (SAME_STEM if _suffix(name) == "" else OTHER_SUFFIX), sorted(fits)

    def _places_of(self, folder: Path) -> tuple[str, ...]:
        """Where images lie that a file in ``folder`` means, below the root."""
        if folder not in self._places:
            self._places[folder] = self._found_places(folder)
        return self._places[folder]

    def _found_places(self, folder: Path) -> tuple[str, ...]:
        if self._root is None or not folder.resolve().is_relative_to(self._root):
            return ()
        parts = folder.resolve().relative_to(self._root).parts
        places = [parts, *((*parts, name) for name in CONTAINERS)]
        for at, part in enumerate(parts):
            if part in KINDS:
                places += [(*parts[:at], name, *parts[at + 1 :]) for name in CONTAINERS]
                places.append((*parts[:at], *parts[at + 1 :]))
        return tuple("/".join(place) for place in places)


def match_images(
    names: ImageNames, annotated: Iterable[AnnotatedImage], findings: list[str]
) -> tuple[dict[str, AnnotatedImage], list[AnnotatedImage]]:
    """The annotations of one source by image file, and those whose image is not there.

    A name that fits several images, and two annotations of one image, are findings. Where two
    names fit one image, it goes to the more certain one, and the image of the other is missing.
    """
    found: dict[str, tuple[int, AnnotatedImage]] = {}
    missing = []
    images = list(annotated)
    beside = [names.beside(image) for image in images]
    # A file that speaks of images beside it does not mean one of another folder.
    own = {image.folder for image, (_, fits) in zip(images, beside, strict=True) if fits}
    for image, (sureness, fits) in zip(images, beside, strict=True):
        if not fits:
            sureness, fits = names.find(image.file)
            if image.folder in own and sureness >= SAME_ENDING:
                fits = names.below(image.folder, fits)
        if len(fits) > 1:
            findings.append(
                f"{image.where}: {image.file!r} may be {fits[0]} or {fits[1]}; name its folder"
            )
            continue
        if not fits:
            missing.append(image)
            continue
        file = fits[0]
        other_sureness, other = found.get(file, (sureness, None))
        if other is None:
            found[file] = sureness, image
        elif sureness == other_sureness or max(sureness, other_sureness) <= SAME_STEM:
            findings.append(
                f"{image.where}: {image.file!r} is the image {file}, which is already in {other.where}"
                + (f" as {other.file!r}" if other.file != image.file else "")
            )
        elif sureness < other_sureness:
            found[file] = sureness, image
            missing.append(other)
        else:
            missing.append(image)
    return {file: image for file, (_, image) in found.items()}, missing


def join_sources(
    sources: Iterable[dict[str, AnnotatedImage]], findings: list[str]
) -> dict[str, AnnotatedImage]:
    """What several sources say of each image, e.g. boxes in one and masks in another."""
    joined: dict[str, AnnotatedImage] = {}
    for source in sources:
        for file, image in source.items():
            first = joined.get(file)
            joined[file] = image if first is None else _joined(first, image, findings)
    return joined


def _joined(first: AnnotatedImage, other: AnnotatedImage, findings: list[str]) -> AnnotatedImage:
    if first.size and other.size and first.size != other.size:
        findings.append(f"{other.where}: {other.file!r} has another size than in {first.where}")
    # Boxes of one source and masks of another complement each other; boxes of two sources contradict.
    for what in ("box", "mask"):
        told = [
            any(getattr(item, what) is not None for item in image.objects) for image in (first, other)
        ]
        if all(told):
            findings.append(f"{other.where}: {other.file!r} has its {what} in {first.where} already")
    return replace(
        first,
        objects=(*first.objects, *other.objects),
        size=first.size or other.size,
        label=first.label or other.label,
        split=first.split or other.split,
        own_classes=first.own_classes or other.own_classes,
    )


def _letters(name: str) -> str:
    """The name in Unicode's composed form: macOS spells é as e and an accent."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _suffix(name: str) -> str:
    suffix = PurePosixPath(name).suffix
    return suffix if suffix.lower() in IMAGE_SUFFIXES else ""


def _bare(name: str) -> str:
    """The path without suffix, ``masks`` replaced by ``images``: masks lie beside their images."""
    path = PurePosixPath(_letters(name).removesuffix(_suffix(name)))
    return "/".join("images" if part in MASK_FOLDERS else part for part in path.parts)


def _end_alike(one: str, other: str) -> bool:
    """Whether one path is the ending of the other, leaving out the folders in ``KINDS``."""
    ends = [
        [part for part in _bare(name).split("/") if part not in KINDS][::-1] for name in (one, other)
    ]
    return all(a == b for a, b in zip(*ends, strict=False))
