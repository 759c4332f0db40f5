"""CVAT XML 1.1 "for images" (docs.cvat.ai): one file for many images.

Numbers are pixels from the image's corner, read as half-open: ``xbr`` lies just past the box. Boxes,
polygons and masks are read, turned boxes and ellipses as outlines; a ``tag`` is the image's class.
Points, lines, cuboids and skeletons are left out and counted. An image without shapes shows no object.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

from wsol.data.annotations.annotated import (
    AnnotatedImage,
    AnnotatedObject,
    checked_box,
    checked_file,
    checked_size,
    number,
)
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.formats.xml_tree import read_xml
from wsol.data.annotations.masks.outlines import (
    Points,
    circle,
    outlined,
    polygons,
    turned_box,
    with_whole_masks,
)
from wsol.data.annotations.masks.placed_masks import PlacedRuns
from wsol.data.manifest.box_conventions import half_open
from wsol.errors import UserError
from wsol.files.pictures.images import MAX_PIXELS

BOX, ELLIPSE, MASK = ("xtl", "ytl", "xbr", "ybr"), ("cx", "cy", "rx", "ry"), ("left", "top")
WITHOUT_AREA = ("points", "polyline", "cuboid", "skeleton")
SPLITS = ("train", "val", "valid", "validation", "test")


def read_cvat(path: Path, reading: AnnotationPass) -> list[AnnotatedImage]:
    """Every image of ``path``, those without objects too; what is wrong goes to ``reading``."""
    try:
        root = read_xml(path)
    except UserError as error:
        reading.findings.append(str(error))
        return []
    counts: Counter[str] = Counter()
    items = root.findall("image")
    found = [_Image(item, path, count, reading, counts) for count, item in enumerate(items, start=1)]
    images = [image for item in found if (image := item.read()) is not None]
    if not items:
        reading.findings.append(f"{path}: not CVAT XML for images: there is no <image>")
    reading.notes += [f"{path}: {count} {what}" for what, count in sorted(counts.items())]
    return with_whole_masks(images, str(path), reading.notes)


class _Image:
    """One <image> on its way to an annotated image."""

    def __init__(
        self,
        item: ElementTree.Element,
        path: Path,
        count: int,
        reading: AnnotationPass,
        counts: Counter[str],
    ) -> None:
        self.item, self.path, self.reading, self.counts = item, path, reading, counts
        self.where = f"{path} image {count}"
        self.findings = reading.findings
        self.size: tuple[int, int] | None = None

    def read(self) -> AnnotatedImage | None:
        item = self.item
        file = checked_file(item.get("name"), self.where, self.findings)
        self.size = checked_size(item.get("height"), item.get("width"), self.where, self.findings)
        tags = sorted({str(tag.get("label") or "").strip() for tag in item.findall("tag")} - {""})
        if len(tags) > 1:
            self.counts["images have several tags: none is their class"] += 1
        objects: list[AnnotatedObject] = []
        for count, shape in enumerate(item, start=1):
            if isinstance(shape.tag, str) and shape.tag not in ("tag", "attribute"):
                objects += self._object(shape, f"{self.where} {shape.tag[:20]} {count}")
        if not file:
            return None
        split = (item.get("subset") or "").strip()
        return AnnotatedImage(
            file,
            self.where,
            tuple(objects),
            self.size,
            tags[0] if len(tags) == 1 else "",
            split if split.lower() in SPLITS else "",
            own_classes=True,
            folder=self.path.parent,
            shares=self.reading.shares,
        )

    def _object(self, shape: ElementTree.Element, where: str) -> list[AnnotatedObject]:
        label = str(shape.get("label") or "").strip()
        if shape.tag in WITHOUT_AREA:
            self.counts["points, lines, cuboids and skeletons are left out"] += 1
        elif shape.tag == "polygon":
            points = _points(shape.get("points") or "")
            if points is None:
                self.findings.append(f"{where}: its points are not three or more pairs x,y;x,y;x,y")
            else:
                return self._outlined(label, points, where)
        elif shape.tag in ("box", "ellipse", "mask"):
            turn = number(shape.get("rotation") or "0")
            names = {"box": BOX, "ellipse": ELLIPSE, "mask": (*MASK, "width", "height")}[shape.tag]
            values = [value for name in names if (value := number(shape.get(name))) is not None]
            if len(values) != 4 or turn is None or max(map(abs, values)) > 1e15:
                told = " ".join(repr((shape.get(name) or "")[:20]) for name in names)
                self.findings.append(f"{where}: {told} are not four numbers, {', '.join(names)}")
            elif shape.tag == "mask":
                return self._mask(label, values, shape.get("rle") or "", where)
            elif shape.tag == "box":
                return self._box(label, values, turn, where)
            else:
                x, y, width, height = values
                outline = [(x + width * a, y + height * b) for a, b in circle(0, 0, 1)]
                return self._outlined(label, _turned(outline, x, y, turn), where)
        else:
            self.counts[f"<{shape.tag[:20]}> are left out"] += 1
        return []

    def _box(self, label: str, values: list[float], turn: float, where: str) -> list[AnnotatedObject]:
        if turn % 360:
            return self._outlined(label, turned_box(values, turn), where)
        corners = half_open(values, self.reading.convention("half-open"))
        box = checked_box(corners, values, where, self.findings)
        return [] if box is None else [AnnotatedObject(label, box)]

    def _outlined(self, label: str, points: Points, where: str) -> list[AnnotatedObject]:
        mask = polygons([points], self.size, where, self.findings)
        return outlined(label, [points], mask, where, self.findings)

    def _mask(self, label: str, values: list[float], rle: str, where: str) -> list[AnnotatedObject]:
        if self.size is None or not all(value.is_integer() for value in values):
            self.findings.append(f"{where}: a mask needs whole pixels and the image's size")
            return []
        left, top, width, height = map(int, values)
        words = rle.split(",")
        runs = tuple(int(word) for word in words if word.strip().isascii() and _digits(word))
        small = 0 < width * height <= MAX_PIXELS and self.size[0] * self.size[1] <= MAX_PIXELS
        if width < 1 or not small or len(runs) != len(words) or sum(runs) != width * height:
            self.findings.append(f"{where}: rle does not fill a mask of {width} x {height} pixels")
            return []
        corners = (left, top, left + width, top + height)
        box = checked_box(corners, corners, where, self.findings)
        mask = PlacedRuns(left, top, (height, width), self.size, where, runs)
        return [] if box is None else [AnnotatedObject(label, box, mask)]


def _digits(word: str) -> bool:
    return word.strip().isdigit() and len(word.strip()) < 12


def _points(text: str) -> Points | None:
    found = []
    for pair in text.strip().strip(";").split(";"):
        values = [number(value) for value in pair.split(",")]
        if len(values) != 2 or values[0] is None or values[1] is None or max(map(abs, values)) > 1e15:  # type: ignore
            return None
        found.append((values[0], values[1]))
    return found if len(found) >= 3 else None


def _turned(outline: Points, x: float, y: float, degrees: float) -> Points:
    """The outline turned around (x, y)."""
    if not degrees % 360:
        return outline
    return [turned_box((a, b, 2 * x - a, 2 * y - b), degrees)[0] for a, b in outline]
