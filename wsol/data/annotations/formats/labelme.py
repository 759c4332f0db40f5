"""LabelMe JSON (github.com/wkentaro/labelme), one file an image, as X-AnyLabeling writes it too.

Points are read as half-open: the rectangle from 20 to 60 is 40 pixels wide. Polygons of one ``group_id``
and label are parts of one object, other shapes are an object each. Points and lines have no area: they
are left out and counted.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

from wsol.data.annotations.annotated import (
    AnnotatedImage,
    AnnotatedObject,
    checked_box,
    checked_file,
    checked_size,
    number,
)
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.formats.image_places import image_folder, image_name
from wsol.data.annotations.masks.outlines import Points, circle, outlined, polygons, with_whole_masks
from wsol.data.annotations.masks.placed_masks import PlacedPicture
from wsol.data.manifest.box_conventions import half_open
from wsol.errors import UserError
from wsol.files.pictures.images import MAX_PIXELS
from wsol.files.reading import read_json

LARGEST = 2**28  # bytes; a JSON file may hold its photograph
OUTLINES = ("polygon", "rotation", "quadrilateral")
FLAT = ("point", "line", "linestrip", "points", "cuboid", "cuboid2d")  # shapes that are no area in it


def read_labelme(folder: Path, paths: list[Path], reading: AnnotationPass) -> list[AnnotatedImage]:
    """The JSON files ``paths``, all below ``folder``; what is wrong with an entry goes to ``reading``.

    The image is the file at ``imagePath``, whatever folder that names; where it is not there, the one
    that is called as the JSON file, beside it, and else what ``imagePath`` ends in.
    """
    counts: Counter[str] = Counter()
    images = []
    for path in paths:
        image = _LabelMeFile(folder, path, reading, counts).read()
        if image is not None:
            images.append(image)
    reading.notes += [f"{folder}: {count} {what}" for what, count in sorted(counts.items())]
    return with_whole_masks(images, str(folder), reading.notes)


class _LabelMeFile:
    """One file on its way to an image."""

    def __init__(self, folder: Path, path: Path, reading: AnnotationPass, counts: Counter[str]) -> None:
        self.folder, self.path, self.reading, self.counts = folder, path, reading, counts
        self.findings = reading.findings
        self.size: tuple[int, int] | None = None

    def read(self) -> AnnotatedImage | None:
        content = self._content()
        if content is None:
            return None
        where = str(self.path)
        file = checked_file(self._name(content.get("imagePath")), where, self.findings)
        self.size = checked_size(
            content.get("imageHeight"), content.get("imageWidth"), where, self.findings
        )
        shapes = content.get("shapes")
        if not isinstance(shapes, list):
            self.findings.append(f'{where}: "shapes" is no list')
            return None
        flags = content.get("flags")
        if isinstance(flags, dict) and any(value is True for value in flags.values()):
            self.counts["images have flags, which are left out"] += 1
        shares = self.reading.shares
        objects = self._objects(shapes)
        home = image_folder(self.path.parent)
        return (
            AnnotatedImage(
                file, where, tuple(objects), self.size, own_classes=True, folder=home, shares=shares
            )
            if file
            else None
        )

    def _content(self) -> dict[str, Any] | None:
        try:
            if self.path.stat().st_size > LARGEST:
                raise UserError(f"{self.path}: more than the {LARGEST:,} bytes it may have")
            content = read_json(self.path)
        except OSError as error:
            self.findings.append(f"{self.path}: cannot be read ({error.strerror})")
            return None
        except UserError as error:
            self.findings.append(str(error))
            return None
        if not isinstance(content, dict):
            self.findings.append(f"{self.path}: not LabelMe JSON: it is no JSON object")
            return None
        return content

    def _name(self, said: object) -> str:
        """The image's name below the folder, as far as it can be told."""
        own = PurePosixPath(self.path.relative_to(self.folder).as_posix())
        told = PurePosixPath(said.replace("\\", "/")) if isinstance(said, str) else PurePosixPath()
        if not told.name or told.name == "..":
            return image_name(own.with_suffix(""))
        if not _exists(self.path.parent / told) and self.path.parent.joinpath(told.name) != self.path:
            stem = image_name(own.with_suffix(""))
            beside = (self.path.with_suffix(suffix) for suffix in (told.suffix, ".jpg", ".jpeg", ".png"))
            if any(suffix.is_file() for suffix in beside):
                return stem
        if told.is_absolute() or ":" in told.parts[0]:
            return image_name(own.with_name(told.name))
        parts: list[str] = []
        for part in (own.parent / told).parts:
            if part != "..":
                parts.append(part)
            elif parts:
                parts.pop()
        return image_name(PurePosixPath(*parts))

    def _objects(self, shapes: list[Any]) -> list[AnnotatedObject]:
        objects: list[AnnotatedObject] = []
        groups: dict[tuple[object, ...], list[Points]] = {}
        for count, shape in enumerate(shapes):
            where = f"{self.path} shapes[{count}]"
            if not isinstance(shape, dict):
                self.findings.append(f"{where}: no JSON object")
                continue
            kind = shape.get("shape_type") or "polygon"  # LabelMe before 3.2 had nothing else
            points = _points(shape.get("points"))
            label = shape.get("label")
            label = str(label).strip() if isinstance(label, str | int | float) else ""
            if kind in FLAT:
                self.counts["points, lines and cuboids are left out"] += 1
            elif points is None:
                self.findings.append(f"{where}: its points are not pairs of numbers x, y")
            elif kind in OUTLINES and len(points) < 3:
                self.counts["polygons of one or two points are left out"] += 1
            elif kind in OUTLINES:
                group = shape.get("group_id")
                known = isinstance(group, int | str) and not isinstance(group, bool)
                key = (str(group), label) if known else (count,)
                if key in groups:
                    groups[key].append(points)
                else:
                    groups[key] = [points]
                    objects.append(AnnotatedObject(label, mask=_Group(key, where)))
            else:
                objects += self._shape(kind, label, points, shape, where)
        return [whole for item in objects for whole in self._whole(item, groups)]

    def _whole(
        self, item: AnnotatedObject, groups: dict[tuple[object, ...], list[Points]]
    ) -> list[AnnotatedObject]:
        """The object itself, or that of a group of polygons."""
        if not isinstance(item.mask, _Group):
            return [item]
        return self._outlined(item.category, groups[item.mask.key], item.mask.where)

    def _outlined(self, label: str, outlines: list[Points], where: str) -> list[AnnotatedObject]:
        if self.size is None:
            self.counts["polygons of images without imageHeight and imageWidth count as boxes"] += 1
        mask = polygons(outlines, self.size, where, self.findings)
        return outlined(label, outlines, mask, where, self.findings)

    def _shape(
        self, kind: object, label: str, points: Points, shape: dict[str, Any], where: str
    ) -> list[AnnotatedObject]:
        if kind == "rectangle" and len(points) in (2, 4):
            x, y = (sorted(point[axis] for point in points) for axis in (0, 1))
            corners = (x[0], y[0], x[-1], y[-1])
            convention = self.reading.convention("half-open")
            box = checked_box(half_open(corners, convention), corners, where, self.findings)
            return [] if box is None else [AnnotatedObject(label, box)]
        if kind == "circle" and len(points) == 2:
            (x, y), (a, b) = points
            return self._outlined(label, [circle(x, y, ((a - x) ** 2 + (b - y) ** 2) ** 0.5)], where)
        if kind == "mask" and len(points) == 2:
            return self._mask(label, points, shape.get("mask"), where)
        if kind in ("rectangle", "circle", "mask"):
            self.findings.append(f"{where}: a {kind} of {len(points)} points, it has two")
        else:
            self.findings.append(
                f"{where}: shape_type {str(kind)[:40]!r} is not known; draw a rectangle or a polygon"
            )
        return []

    def _mask(self, label: str, points: Points, text: object, where: str) -> list[AnnotatedObject]:
        """A picture from its first point to its last pixel."""
        (x0, y0), (x1, y1) = ((round(x), round(y)) for x, y in points)
        corners = (x0, y0, x1 + 1, y1 + 1)
        box = checked_box(corners, (x0, y0, x1, y1), where, self.findings)
        if box is None:
            return []
        try:
            content = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
        except (binascii.Error, ValueError):
            content = b""
        shape = (y1 + 1 - y0, x1 + 1 - x0)
        size = self.size
        if size is None or max(size[0] * size[1], shape[0] * shape[1]) > MAX_PIXELS or not content:
            self.findings.append(f"{where}: a mask needs its picture in base64 and the image's size")
            return []
        mask = PlacedPicture(x0, y0, shape, size, where, content)
        return [AnnotatedObject(label, box, mask)]


class _Group:
    """Stands for the mask of a group of polygons until all of them are read."""

    def __init__(self, key: tuple[object, ...], where: str) -> None:
        self.key, self.where = key, where

    def pixels(self) -> Any:
        """Never asked: the group's polygons take its place before the image is given out."""
        raise AssertionError(f"{self.where}: a group that was not finished")


def _points(points: object) -> Points | None:
    found = []
    for point in points if isinstance(points, list) else [None]:
        pair = [number(value) for value in point] if isinstance(point, list) else []
        if len(pair) != 2 or pair[0] is None or pair[1] is None or max(map(abs, pair)) > 1e15:  # type: ignore
            return None
        found.append((pair[0], pair[1]))
    return found


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
