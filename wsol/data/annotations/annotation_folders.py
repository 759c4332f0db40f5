"""A folder of annotations: the files of the one kind that it holds, the others told of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from wsol.data.annotations.annotated import AnnotatedImage
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.coco.coco import read_coco
from wsol.data.annotations.formats.csv_boxes import read_csv
from wsol.data.annotations.formats.cvat import read_cvat
from wsol.data.annotations.formats.labelme import read_labelme
from wsol.data.annotations.formats.voc import read_voc_files
from wsol.data.annotations.formats.yolo import read_yolo
from wsol.data.annotations.kinds.json_kinds import BROKEN, COCO, LABELME, RESULTS
from wsol.data.annotations.kinds.kind import Kind
from wsol.data.annotations.kinds.kind_of import CSV, CVAT, MASK, VOC, Found, kind_of
from wsol.data.annotations.kinds.text_kinds import CLASS_FILES, DATA_YAML, YOLO
from wsol.data.annotations.listing.image_listing import (
    CONTAINERS,
    IMAGE_SUFFIXES,
    LOSSY_MASK_SUFFIXES,
    MASK_FOLDERS,
    MASK_SUFFIXES,
    walk,
)
from wsol.data.annotations.masks.mask_files import read_masks
from wsol.errors import UserError

READ = "COCO or LabelMe .json, VOC or CVAT .xml, YOLO .txt, .csv, or a folder of these or of masks"


def read_one(path: Path, reading: AnnotationPass) -> list[AnnotatedImage]:
    """What one file says; ``UserError`` where it is of no kind that is read."""
    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    kind = kind_of(path)
    if kind == DATA_YAML:
        return read_folder(path.parent, reading, only=YOLO)
    if kind is None:
        raise UserError(f"{path}: is no annotation of a known format; annotations are {READ}")
    if not kind.is_read:
        raise UserError(f"{path}: {kind.refusal()}")
    return _read(path.parent, kind, [path], reading)


def read_folder(
    folder: Path, reading: AnnotationPass, *, only: Kind | None = None
) -> list[AnnotatedImage]:
    """Annotations of the one kind that lies below ``folder``; ``UserError`` where there are several.

    Several files of that kind are one source. Files of no known kind are counted in a note.
    """
    files = _Files(folder, reading, only)
    kinds = files.kinds()
    if len(kinds) > 1:
        told = ", ".join(f"{len(paths)} {kind.name}" for kind, paths in kinds.items())
        examples = ", ".join(paths[0].relative_to(folder).as_posix() for paths in kinds.values())
        raise UserError(
            f"{folder}: holds annotations of several kinds: {told} ({examples}): name one of them, or a "
            "folder that holds no other"
        )
    if not kinds:
        raise UserError.of(files.findings or [files.refusal()])
    reading.findings += files.findings
    reading.notes += files.notes()
    ((kind, paths),) = kinds.items()
    return _read(folder, kind, paths, reading)


class _Files:
    """The files below a folder by their kinds."""

    def __init__(self, folder: Path, reading: AnnotationPass, only: Kind | None) -> None:
        self.folder = folder
        self.findings: list[str] = []
        self.pictures = 0
        self.found: defaultdict[Kind, list[Path]] = defaultdict(list)
        self.unknown: list[Path] = []
        self.lossy: list[Path] = []  # masks only where nothing else is there
        for found in self._all(reading.images):
            if found.kind is None or (only is not None and found.kind != only):
                self.unknown.append(found.path)
            else:
                self.found[found.kind].append(found.path)
        self._take_pictures_for_no_masks()

    def kinds(self) -> dict[Kind, list[Path]]:
        """The files of each kind that is read, the kind with most files first."""
        kinds = {kind: paths for kind, paths in self.found.items() if kind.is_read and kind != DATA_YAML}
        if len(kinds) > 1:
            kinds.pop(BROKEN, None)
        if not kinds and self.lossy:
            kinds = {MASK: sorted(self.lossy)}
        return dict(sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0].name)))

    def notes(self) -> list[str]:
        """What is left out, with a count and a name."""
        kinds = [(kind, paths) for kind, paths in self.found.items() if not kind.is_read]
        notes = [
            f"{self.folder}: {len(paths)} left out: {_name(self.folder, paths[0])} {kind.refusal()}"
            for kind, paths in kinds
        ]
        unknown = [path for path in self.unknown if path.name not in CLASS_FILES]
        if unknown:
            suffixes = Counter(path.suffix.lower() or "without suffix" for path in unknown)
            told = ", ".join(f"{count} {suffix}" for suffix, count in suffixes.most_common(4))
            more = ", ..." if len(suffixes) > 4 else ""
            notes.append(
                f"{self.folder}: {told}{more} left out as no annotations that are read, e.g. "
                f"{_name(self.folder, unknown[0])}"
            )
        return notes

    def refusal(self) -> str:
        """Why nothing is read."""
        for kind, paths in self.found.items():
            if not kind.is_read:
                return f"{paths[0]}: {kind.refusal()}"
        if self.pictures:
            return f"{self.folder}: its pictures are the images themselves; name the folder of the masks"
        told = ""
        if self.unknown:
            told = f"; {len(self.unknown)} other files lie there, e.g. {self.unknown[0].name}"
        return f"{self.folder}: holds no annotations{told}; annotations are {READ}"

    def _all(self, images: frozenset[Path]) -> list[Found]:
        found = []
        for place, _, names in walk(self.folder, self.findings):
            for name in sorted(names):
                path = place / name
                suffix = path.suffix.lower()
                is_picture = suffix in (*MASK_SUFFIXES, *LOSSY_MASK_SUFFIXES)
                if is_picture and images and path.resolve() in images:
                    self.pictures += 1
                elif suffix in LOSSY_MASK_SUFFIXES:
                    self.lossy.append(path)
                elif suffix in MASK_SUFFIXES or suffix not in IMAGE_SUFFIXES:
                    try:
                        found.append(Found(path, kind_of(path)))
                    except UserError as error:
                        self.findings.append(str(error))
        return sorted(found)

    def _take_pictures_for_no_masks(self) -> None:
        """Beside annotations of another kind, PNG files in colour or in image folders are pictures."""
        if MASK not in self.found or not any(kind.is_read for kind in self.found if kind != MASK):
            return
        masks = [path for path in self.found[MASK] if not self._is_picture(path)]
        self.pictures += len(self.found[MASK]) - len(masks)
        if masks:
            self.found[MASK] = masks
        else:
            del self.found[MASK]

    def _is_picture(self, path: Path) -> bool:
        folders = path.relative_to(self.folder).parts[:-1]
        if any(part in MASK_FOLDERS for part in folders):
            return False
        if any(part in CONTAINERS for part in folders):
            return True
        try:
            with path.open("rb") as file:
                head = file.read(26)
        except OSError:
            return False
        # The header's colour type: 2 and 6 are colours by three numbers, the others grey or a palette.
        return head[12:16] == b"IHDR" and head[25] in (2, 6)


def _read(folder: Path, kind: Kind, paths: list[Path], reading: AnnotationPass) -> list[AnnotatedImage]:
    if kind == MASK:
        return read_masks(folder, paths, reading.findings)
    if kind == VOC:
        return read_voc_files(folder, paths, reading)
    if kind == LABELME:
        return read_labelme(folder, paths, reading)
    if kind == YOLO:
        return read_yolo(folder, paths, reading)
    tables: dict[Kind, Callable[[Path, AnnotationPass], list[AnnotatedImage]]] = {
        COCO: read_coco,
        RESULTS: read_coco,
        BROKEN: read_coco,
        CVAT: read_cvat,
        CSV: read_csv,
    }
    return _joined(folder, [(path, tables[kind](path, reading)) for path in paths])


def _joined(folder: Path, tables: list[tuple[Path, list[AnnotatedImage]]]) -> list[AnnotatedImage]:
    """The images of all files; a name that files of several folders have gets its folder in front."""
    if len(tables) == 1:
        return tables[0][1]
    places: defaultdict[str, set[Path]] = defaultdict(set)
    for path, images in tables:
        for image in images:
            places[image.file].add(path.parent)
    found = []
    for path, images in tables:
        place = PurePosixPath(path.parent.relative_to(folder).as_posix())
        for image in images:
            several = len(places[image.file]) > 1
            found.append(replace(image, file=(place / image.file).as_posix()) if several else image)
    return found


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
