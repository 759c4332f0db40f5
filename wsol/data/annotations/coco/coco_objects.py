"""The entries of COCO's list of annotations, or of a detector's results, as objects of images."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from wsol.data.annotations.annotated import ObjectMask, checked_box, has_no_area, number
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.coco.ids import id_of, no_id, shown
from wsol.data.annotations.left_out import LeftOut
from wsol.data.annotations.masks.polygons import Polygons, ShareOutlines, outlines_of
from wsol.data.annotations.masks.run_lengths import RunLengths
from wsol.data.annotations.packed_objects import Entry, ObjectTable
from wsol.errors import UserError
from wsol.files.pictures.images import MAX_PIXELS

Size = tuple[int, int] | None
Corners = tuple[float, float, float, float]


class CocoObjects:
    """The objects of one file; what is wrong with an entry goes to ``reading``."""

    def __init__(self, path: Path, reading: AnnotationPass) -> None:
        self.path, self.reading, self.findings = path, reading, reading.findings
        self.shares = reading.shares
        self.table = ObjectTable(f"{path} annotations[", "]")
        self.left_out = LeftOut(path)
        self._sizes: dict[Size, Size] = {}
        self._first: dict[str, int] = {}  # the first entry of each category
        self._counts: Counter[str] = Counter()

    def one_size(self, size: Size) -> Size:
        """The same tuple for all images of a size."""
        return self._sizes.setdefault(size, size)

    def add(self, image: int, size: Size, item: dict[str, Any], index: int) -> None:
        """Take an entry of the image of that number; ``size`` is (height, width) where it is known."""
        where = f"{self.path} annotations[{index}]"
        for what in ("id", "category_id"):
            if item.get(what) is not None and not id_of(item[what]):
                self.findings.append(f"{where}: {what} {no_id(item[what])}")
        category = id_of(item.get("category_id"))
        self._first.setdefault(category, index)
        self._counts[category] += 1
        told = len(self.findings), self.left_out.count
        box = self._box(item.get("bbox"), where)
        mask = self._mask(item.get("segmentation"), size, where, boxed=box is not None)
        if box is None and mask is None:
            if told == (len(self.findings), self.left_out.count):
                self.findings.append(f"{where}: neither bbox nor segmentation")
            return
        score = self._score(item.get("score"), where)
        self.table.add(image, Entry(category, box, mask, bool(item.get("iscrowd")), score, index))

    def finish(self, categories: dict[str, str]) -> None:
        """After the last entry: names instead of ids, and a note of what was left out."""
        for key, index in self._first.items():
            if key and categories and key not in categories:
                more = self._counts[key] - 1
                self.findings.append(
                    f"{self.path} annotations[{index}]: category_id {key} is not among the categories"
                    + (f" (and {more} more of it)" if more else "")
                )
        self.table.categories = [categories.get(key, key) for key in self.table.categories]
        self.reading.notes += self.left_out.notes()

    def _box(self, bbox: Any, where: str) -> Corners | None:
        if bbox in (None, []):
            return None
        numbers = [number(value) for value in bbox] if isinstance(bbox, list) else []
        if len(numbers) != 4 or None in numbers:
            self.findings.append(f"{where}: bbox {shown(bbox)} is not x, y, width, height")
            return None
        x, y, width, height = (value or 0.0 for value in numbers)
        corners = (x, y, x + width, y + height)
        if has_no_area(corners):
            self.left_out.box(where)
            return None
        box = checked_box(corners, corners, where, self.findings)
        return None if box is None else box.box

    def _mask(self, segmentation: Any, size: Size, where: str, *, boxed: bool) -> ObjectMask | None:
        if segmentation in (None, [], {}):
            return None
        try:
            if isinstance(segmentation, dict):
                runs = RunLengths.of(segmentation, size, where)
                # Beside a box a mask of no pixel says nothing; alone it says that nothing is there.
                if boxed and not runs.counts[1::2].any():
                    self.left_out.part(where)
                    return None
                return runs
            outlines, degenerate = outlines_of(segmentation, where)
            if degenerate and not outlines and not boxed:
                raise UserError(f"{where}: a polygon needs three or more points x, y, not all in a line")
            self.left_out.part(where, degenerate)
            return self._polygons(outlines, size, where) if outlines else None
        except UserError as error:
            self.findings.append(str(error))
            return None

    def _polygons(
        self, outlines: tuple[tuple[float, ...], ...], size: Size, where: str
    ) -> Polygons | ShareOutlines:
        if self.shares:
            shares = ShareOutlines(outlines, where)
            return shares if size is None else shares.in_pixels(size)
        if size is None:
            raise UserError(f"{where}: polygons need the image's height and width")
        if size[0] * size[1] > MAX_PIXELS:
            raise UserError(f"{where}: the image's size, {size[1]} x {size[0]}, is too large for a mask")
        return Polygons.of([list(outline) for outline in outlines], size, where)

    def _score(self, score: Any, where: str) -> float | None:
        value = number(score)
        if score is not None and value is None:
            self.findings.append(f"{where}: score {shown(score)} is no number")
        return value
