"""Which columns of a CSV table mean what, by the names in use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wsol.data.annotations.annotated import number
from wsol.errors import UserError

NAMES = {
    "image": (
        *("image", "image_id", "file", "filename", "file_name", "path", "name"),
        *("imageid", "image_name", "image_path", "img", "img_id"),
    ),
    "label": ("label", "class", "category", "class_name", "labelname"),
    "split": ("split", "subset", "set"),
    "mask": ("mask", "mask_path"),
    "ignore": ("ignore", "ignore_mask"),
    "score": ("score", "confidence", "probability", "conf"),
}
# A table with corners may tell the image's size by width and height; with x, y these are the box's.
CORNERS = (("x0", "y0", "x1", "y1"), ("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"))
CORNERS += (("x_min", "y_min", "x_max", "y_max"),)
SIDES = (("x", "y", "width", "height"), ("x", "y", "w", "h"))
SIZES = (("height", "width"), ("image_height", "image_width"))
# A table with some of these columns but no whole box is refused. Width and height alone are an
# image's size.
BOX_NAMES = {name for names in (*CORNERS, *SIDES) for name in names} - {*SIZES[0]}
ONE_CELL = ("bbox", "box", "bounding_box", "predictionstring")  # Kaggle's tables of boxes


class Columns:
    """The places of the columns that were found; ``UserError`` where the header is none of a table.

    ``what`` are places by the keys of ``NAMES``; ``corners``, ``sides`` and ``size`` (height, width) of
    the box and of the image, None where they are not there; ``unknown`` names that mean nothing here.
    """

    def __init__(self, path: Path, header: list[str]) -> None:
        self.what = {what: _place(header, names) for what, names in NAMES.items()}
        if self.what["image"] is None:
            raise UserError(f"{path} line 1: {_no_image(header)}")
        if repeated := sorted({name for name in header if name and header.count(name) > 1}):
            raise UserError(f"{path} line 1: column {repeated[0]!r} occurs twice")
        self.corners = _places(header, CORNERS)
        self.sides = None if self.corners else _places(header, SIDES)
        self.size = _places(header, SIZES[1:] if self.sides else SIZES)
        box = self.corners or self.sides or ()
        told = [self.what[what] for what in NAMES if what not in ("image", "score")]
        if not box:
            self._refuse_half(path, header, told)
        known = {self.what["image"], self.what["score"], *told, *box, *(self.size or ())}
        self.unknown = [name for place, name in enumerate(header) if name and place not in known]

    def cell(self, cells: Sequence[str], what: str) -> str:
        """The cell of that meaning; empty where there is no such column."""
        place = self.what[what]
        return "" if place is None else cells[place]

    def _refuse_half(self, path: Path, header: list[str], told: list[int | None]) -> None:
        if packed := [name for name in header if name in ONE_CELL]:
            raise UserError(
                f"{path} line 1: column {packed[0]!r} holds whole boxes in one cell; write a column for "
                "each number, x,y,width,height or x0,y0,x1,y1"
            )
        if part := [name for name in header if name in BOX_NAMES]:
            raise UserError(
                f"{path} line 1: columns {', '.join(part)} are not a whole box; name them "
                f"{' or '.join(','.join(names) for names in (*CORNERS[:2], SIDES[0]))}"
            )
        if told == [None] * len(told):
            raise UserError(
                f"{path} line 1: neither box, mask, label nor split among the columns "
                f"{', '.join(header)}; name a box x0,y0,x1,y1 or x,y,width,height"
            )


def _no_image(header: list[str]) -> str:
    names = ", ".join(NAMES["image"][:4])
    if sum(number(cell) is not None for cell in header) >= 2:
        return (
            "no column names the image: the line holds numbers, not the names of columns; write a first "
            "line such as image,x0,y0,x1,y1"
        )
    return f"no column names the image; call one {names}"


def _place(header: list[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _places(header: list[str], choices: Sequence[tuple[str, ...]]) -> tuple[int, ...] | None:
    """Columns of the first choice that is there as a whole."""
    for names in choices:
        if all(name in header for name in names):
            return tuple(header.index(name) for name in names)
    return None
