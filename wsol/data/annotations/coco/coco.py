"""COCO JSON (Lin et al. 2014): boxes ``x, y, width, height``, masks as polygons or run lengths.

A list of results (``image_id``, ``category_id``, ``bbox`` or ``segmentation``, ``score``), as detectors
write it, is read too; its images are then known by their ``image_id`` only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsol.data.annotations.annotated import AnnotatedImage, Place, checked_file, checked_size
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.coco.coco_objects import CocoObjects
from wsol.data.annotations.coco.ids import id_of, no_id, shown
from wsol.data.annotations.coco.json_entries import START, JsonEntry, json_entries
from wsol.errors import UserError

LISTS = ("images", "annotations", "categories")
RESULTS = ""  # the name of the list of a file that is one list


def read_coco(path: Path, reading: AnnotationPass) -> list[AnnotatedImage]:
    """Every image of ``path``, those without objects too; what is wrong goes to ``reading``.

    JSON keeps no line numbers: findings name the entry, ``annotations[3]``. Raises ``UserError`` where
    the file is no COCO JSON at all. The file is read entry by entry, and a second time where its
    annotations stand before its images.
    """
    file = _CocoFile(path, reading)
    early = False
    for entry in json_entries(path):
        if entry.name == "annotations" and "images" not in file.lists:
            early = early or entry.index >= 0
            file.note_list(entry)
        else:
            file.take(entry)
    file.check_lists()
    if early:
        for entry in json_entries(path):
            if entry.name == "annotations":
                file.take(entry)
    return file.images()


class _CocoFile:
    """One file on its way to images; entries are looked up by id."""

    def __init__(self, path: Path, reading: AnnotationPass) -> None:
        self.path, self.reading, self.findings = path, reading, reading.findings
        self.shares = reading.shares
        self.lists: set[str] = set()  # names of the lists that are there
        self.other = ""  # the name of what should be a list and is none
        self.categories: dict[str, str] = {}
        self.numbers: dict[str, int] = {}  # of each image, by its id
        self.dropped: set[str] = set()  # ids of images that are findings
        self.found: list[tuple[str, tuple[int, int] | None, int]] = []  # file, size, entry
        self.objects = CocoObjects(path, reading)

    def take(self, entry: JsonEntry) -> None:
        """Take one part of the file."""
        name, index, item = entry
        self.note_list(entry)
        if index < 0 or name not in (*LISTS, RESULTS):
            return
        if not isinstance(item, dict):
            self.findings.append(f"{self._where(name, index)}: {shown(item)} is no JSON object")
        elif name == "images":
            self._image(item, index)
        elif name == "categories":
            self._category(item, index)
        else:
            self._object(item, index)

    def note_list(self, entry: JsonEntry) -> None:
        """Remember which lists there are, and what is none."""
        if entry.index == START:
            self.lists.add(entry.name)
        elif entry.index < 0 and (entry.value or entry.value is False) and entry.name in LISTS:
            self.other = self.other or entry.name

    def check_lists(self) -> None:
        """``UserError`` where the file as a whole is something else."""
        if RESULTS in self.lists:
            self.reading.lists_only_found = True
            return
        if self.other:
            raise UserError(f'{self.path}: not COCO JSON: "{self.other}" is no list')
        if "images" not in self.lists:
            what = "COCO JSON without images" if "annotations" in self.lists else "not COCO JSON"
            raise UserError(f'{self.path}: {what}: there is no list "images"')
        if "annotations" not in self.lists:
            raise UserError(
                f'{self.path}: COCO JSON without "annotations": it lists images and says nothing of '
                "their objects, as the image_info files of COCO's test sets do; name the file with them"
            )

    def images(self) -> list[AnnotatedImage]:
        """All images with their objects, in the file's order."""
        self.objects.finish(self.categories)
        self.reading.category_names.update(self.categories)
        objects = self.objects.table.by_image(len(self.found))
        before = f"{self.path} {'annotations' if RESULTS in self.lists else 'images'}["
        return [
            AnnotatedImage(
                file,
                Place(before, index, "]"),
                own,
                size,
                source_id=key,
                own_classes=bool(self.categories),
                folder=self.path.parent,
                shares=self.shares,
            )
            for (key, (file, size, index)), own in zip(
                zip(self.numbers, self.found, strict=True), objects, strict=True
            )
        ]

    def _image(self, item: dict[str, Any], index: int) -> None:
        where, key = Place(f"{self.path} images[", index, "]"), id_of(item.get("id"))
        if not key:
            self.findings.append(f"{where}: {no_id(item.get('id'))}")
        elif key in self.numbers:
            first = self._where("images", self.found[self.numbers[key]][2])
            self.findings.append(f"{where}: id {key} is already in {first}")
        elif file := checked_file(item.get("file_name"), where, self.findings):
            size = checked_size(item.get("height"), item.get("width"), where, self.findings)
            self.numbers[key] = len(self.found)
            self.found.append((file, self.objects.one_size(size), index))
        else:
            self.dropped.add(key)

    def _category(self, item: dict[str, Any], index: int) -> None:
        """Name of a category by its id; an id that names two is a finding."""
        key, name = id_of(item.get("id")), str(item.get("name", ""))
        where = self._where("categories", index)
        if not key:
            self.findings.append(f"{where}: {no_id(item.get('id'))}")
        elif self.categories.setdefault(key, name) != name:
            self.findings.append(
                f"{where}: id {key} is {name!r} here and {self.categories[key]!r} before"
            )

    def _object(self, item: dict[str, Any], index: int) -> None:
        key = id_of(item.get("image_id"))
        number = self.numbers.get(key)
        if number is None and key and RESULTS in self.lists:
            where = Place(f"{self.path} annotations[", index, "]")
            file = checked_file(key, where, self.findings)
            if file:
                number = self.numbers[key] = len(self.found)
                self.found.append((file, None, index))
            else:
                return
        if number is not None:
            self.objects.add(number, self.found[number][1], item, index)
        elif key not in self.dropped:
            told = shown(item.get("image_id"))
            self.findings.append(
                f"{self._where('annotations', index)}: image_id {told} is not among the images"
            )

    def _where(self, name: str, index: int) -> str:
        return f"{self.path} {name or 'annotations'}[{index}]"
