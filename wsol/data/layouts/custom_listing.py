"""Which class and split each of one's own images belongs to: by its annotation, else by its folder."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from pathlib import PurePosixPath

from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject
from wsol.data.annotations.listing.image_listing import CONTAINERS

# What splits are called, in any letter case.
SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


class Listing:
    """Label, split and scored objects of each image.

    ``labels`` and ``splits`` are by file; a label is empty where nothing says it; ``classes`` are all
    labels sorted, ``numbers`` their places. Annotated images go to ``split``, the others to train,
    unless the annotation or a folder called train, val or test says otherwise. What cannot be told is
    in ``findings``, what was decided in ``notes``. With ``plain_folders`` folders tell nothing; with
    ``one_split`` neither annotation nor folder tells the split.
    """

    def __init__(
        self,
        files: list[str],
        annotated: dict[str, AnnotatedImage],
        split: str,
        *,
        plain_folders: bool = False,
        one_split: bool = False,
    ) -> None:
        self.annotated, self.one_split = annotated, one_split
        self.findings: list[str] = []
        self.notes: list[str] = []
        folders = {file: [] if plain_folders else _folders(file) for file in files}
        own = self._splits_by_folder(folders)
        told = {} if one_split else own | _told_splits(annotated)
        self.splits = {
            file: told.get(file) or (split_name(split) if file in annotated else "train")
            for file in files
        }
        self.labels = self._labels(folders)
        classes = set(self.labels.values()) - {""}
        if len(classes) == 1 and not one_split:
            # With one class only, images without object belong to it too, as in Object Discovery. Where
            # images are only scored, one that no annotation gives a class has none.
            self.labels = dict.fromkeys(files, classes.pop())
        self.classes = sorted(set(self.labels.values()) - {""})
        self.numbers = {name: number for number, name in enumerate(self.classes)}
        self._check_classes()

    def objects(self, file: str) -> list[AnnotatedObject]:
        """The image's objects that are of its class or of none, and what is not scored."""
        said = self.annotated.get(file)
        if said is None:
            return []
        if len(said.categories) < 2:
            return list(said.objects)
        return [item for item in said.objects if item.ignore or item.category in ("", self.labels[file])]

    def _splits_by_folder(self, folders: dict[str, list[str]]) -> dict[str, str]:
        """Split of each file by its topmost folder, which is taken off ``folders``; none by default.

        Files beside the split folders are findings, unless their annotation tells a split.
        """
        inside = {file: names[0] for file, names in folders.items() if names and _is_split(names[0])}
        if not inside:
            return {}
        called = ", ".join(sorted(set(inside.values())))
        if not _are_splits(folders, list(inside)):
            self.notes.append(f"{called}: taken for classes, as not all images lie in splits")
            return {}
        for file in inside:
            folders[file].pop(0)
        placed = folders if self.one_split else inside | _told_splits(self.annotated)
        self.findings += [
            f"{file}: lies in none of the splits ({called}); move it there, or leave it out by --skip"
            for file in folders
            if file not in placed
        ]
        return {file: split_name(folder) for file, folder in inside.items()}

    def _labels(self, folders: dict[str, list[str]]) -> dict[str, str]:
        told = [said for said in self.annotated.values() if said.own_classes]
        known = {name for said in told for name in (said.label, *said.categories)} - {""}
        labels, foreign = {}, set()
        for file, names in folders.items():
            said, folder = self.annotated.get(file), names[0] if names else ""
            if said is not None and said.own_classes and folder not in known:
                folder = ""  # images without object in COCO's val2017 are of no class val2017
            labels[file] = _label(said, folder)
            if said is None and known and folder and folder not in known:
                foreign.add(folder)
        if foreign:
            self.notes.append(
                f"classes by their folder alone, which no annotation names: {', '.join(sorted(foreign))}"
            )
        return labels

    def _check_classes(self) -> None:
        several = {file: said for file, said in self.annotated.items() if len(said.categories) > 1}
        if several:
            left_out = sum(len(said.objects) - len(self.objects(file)) for file, said in several.items())
            self.notes.append(
                f"{len(several)} images show objects of several classes: each is of the class that its "
                "annotation or its folder names, else of the one whose boxes cover most; "
                f"{left_out} objects of other classes are left out"
            )
        spellings: defaultdict[str, list[str]] = defaultdict(list)
        for name in self.classes:
            spellings[unicodedata.normalize("NFC", name)].append(name)
        self.findings += [
            f"class {name!r} is spelled in two ways that look alike, with composed and with separate "
            "accents; write one"
            for name, alike in spellings.items()
            if len(alike) > 1
        ]


def split_name(name: str) -> str:
    """The name of a split as manifests write it: ``Valid`` is ``val``; others stay."""
    return SPLITS.get(name.lower(), name)


def _is_split(folder: str) -> bool:
    return folder.lower() in SPLITS


def _are_splits(folders: dict[str, list[str]], inside: list[str]) -> bool:
    """Whether folders called by splits, which the files ``inside`` lie in, are splits and no classes.

    They are splits where most files lie in them. A single folder called train among other folders,
    without class folders in it, is rather a class: of railway trains.
    """
    if 2 * len(inside) <= len(folders):
        return False
    several = len({split_name(folders[file][0]) for file in inside}) > 1
    with_classes = any(len(folders[file]) > 1 for file in inside)
    among_others = any(names and not _is_split(names[0]) for names in folders.values())
    return several or with_classes or not among_others


def _told_splits(annotated: dict[str, AnnotatedImage]) -> dict[str, str]:
    """Split of each image whose annotation tells one."""
    return {file: split_name(said.split) for file, said in annotated.items() if said.split}


def _label(said: AnnotatedImage | None, folder: str) -> str:
    if said is None:
        return folder
    names = said.categories
    return said.label or (folder if folder in names else "") or next(iter(names), folder)


def _folders(file: str) -> list[str]:
    """The folders an image lies in, without those that only say that images lie there."""
    return [name for name in PurePosixPath(file).parent.parts if name not in CONTAINERS]
