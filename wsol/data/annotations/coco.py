"""COCO JSON (Lin et al. 2014): boxes ``x, y, width, height``, masks as polygons or run lengths.

A list of results (``image_id``, ``category_id``, ``bbox`` or ``segmentation``, ``score``), as detectors
write it, is read too; its images are then known by their ``image_id`` only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsol.data.annotations.annotated import (
    AnnotatedImage,
    AnnotatedObject,
    ObjectMask,
    checked_box,
    checked_file,
    checked_size,
    number,
)
from wsol.data.annotations.annotation_masks import Polygons, RunLengths
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.manifest.manifest_draft import DraftBox
from wsol.errors import UserError
from wsol.files.pictures.images import MAX_PIXELS
from wsol.files.reading import read_json


def read_coco(path: Path, reading: AnnotationPass) -> list[AnnotatedImage]:
    """Every image of ``path``, those without objects too; what is wrong goes to ``reading``.

    JSON keeps no line numbers: findings name the entry, ``annotations[3]``. Raises ``UserError`` where
    the file is no COCO JSON at all.
    """
    content = _load(path)
    if isinstance(content, list):
        content = {"annotations": content, "images": _images_of_results(content)}
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        raise UserError(f'{path}: not COCO JSON: there is no list "images"')
    return _CocoFile(path, content, reading).read()


class _CocoFile:
    """One file on its way to images; entries are looked up by id."""

    def __init__(self, path: Path, content: dict[str, Any], reading: AnnotationPass) -> None:
        self.path, self.content, self.findings = path, content, reading.findings
        self.shares = reading.shares
        self.categories = self._categories()
        reading.category_names.update(self.categories)
        self.objects: dict[str, list[AnnotatedObject]] = {}
        self.sizes: dict[str, tuple[int, int] | None] = {}

    def read(self) -> list[AnnotatedImage]:
        files: dict[str, tuple[str, str]] = {}
        for where, item in self._all("images"):
            key = _key(item.get("id"))
            if not key:
                self.findings.append(f"{where}: no id")
            elif key in files:
                self.findings.append(f"{where}: id {key} is already in {files[key][1]}")
            elif file := checked_file(item.get("file_name"), where, self.findings):
                files[key] = file, where
                self.sizes[key] = checked_size(
                    item.get("height"), item.get("width"), where, self.findings
                )
        for where, item in self._all("annotations"):
            key = _key(item.get("image_id"))
            if key in files:
                self.objects.setdefault(key, []).extend(self._object(item, key, where))
            else:
                self.findings.append(
                    f"{where}: image_id {item.get('image_id')!r} is not among the images"
                )
        return [
            AnnotatedImage(
                file,
                where,
                tuple(self.objects.get(key, ())),
                self.sizes[key],
                source_id=key,
                own_classes=bool(self.categories),
                folder=self.path.parent,
                shares=self.shares,
            )
            for key, (file, where) in files.items()
        ]

    def _categories(self) -> dict[str, str]:
        """Name of each category by its id; an id that names two is a finding."""
        names: dict[str, str] = {}
        for where, item in self._all("categories"):
            key, name = _key(item.get("id")), str(item.get("name", ""))
            if not key:
                self.findings.append(f"{where}: no id")
            elif names.setdefault(key, name) != name:
                self.findings.append(f"{where}: id {key} is {name!r} here and {names[key]!r} before")
        return names

    def _object(self, item: dict[str, Any], key: str, where: str) -> list[AnnotatedObject]:
        category = _key(item.get("category_id"))
        if category and self.categories and category not in self.categories:
            self.findings.append(f"{where}: category_id {category} is not among the categories")
        box = self._box(item.get("bbox"), where)
        mask = self._mask(item.get("segmentation"), key, where)
        if box is None and mask is None:
            if not item.get("bbox") and not item.get("segmentation"):
                self.findings.append(f"{where}: neither bbox nor segmentation")
            return []
        name = self.categories.get(category, category)
        return [AnnotatedObject(name, box, mask, bool(item.get("iscrowd")))]

    def _box(self, bbox: Any, where: str) -> DraftBox | None:
        if bbox in (None, []):
            return None
        numbers = [number(value) for value in bbox] if isinstance(bbox, list) else []
        if len(numbers) != 4 or None in numbers:
            self.findings.append(f"{where}: bbox {_short(bbox)} is not x, y, width, height")
            return None
        x, y, width, height = (value or 0.0 for value in numbers)
        corners = (x, y, x + width, y + height)
        return checked_box(corners, corners, where, self.findings)

    def _mask(self, segmentation: Any, key: str, where: str) -> ObjectMask | None:
        if segmentation in (None, [], {}):
            return None
        size = self.sizes.get(key)
        try:
            if isinstance(segmentation, dict):
                return RunLengths.of(segmentation, size, where)
            if size is None:
                raise UserError(f"{where}: polygons need the image's height and width")
            if size[0] * size[1] > MAX_PIXELS:
                raise UserError(
                    f"{where}: the image's size, {size[1]} x {size[0]}, is too large for a mask"
                )
            return Polygons.of(segmentation, size, where)
        except UserError as error:
            self.findings.append(str(error))
            return None

    def _all(self, name: str) -> list[tuple[str, dict[str, Any]]]:
        """Place and content of each entry of a list; entries that are no objects are findings."""
        items = self.content.get(name) or []
        if not isinstance(items, list):
            raise UserError(f'{self.path}: not COCO JSON: "{name}" is no list')
        found = []
        for index, item in enumerate(items):
            where = f"{self.path} {name}[{index}]"
            if isinstance(item, dict):
                found.append((where, item))
            else:
                self.findings.append(f"{where}: {_short(item)} is no JSON object")
        return found


def _load(path: Path) -> Any:
    try:
        return read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no such file") from None


def _images_of_results(results: list[Any]) -> list[dict[str, Any]]:
    ids = {
        _key(item.get("image_id")): item.get("image_id") for item in results if isinstance(item, dict)
    }
    return [{"id": value, "file_name": key} for key, value in ids.items() if key]


def _key(value: Any) -> str:
    """An id as text, so that 7 and "7" are one; empty where it is neither number nor text."""
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
