"""What any annotation format says of one image, whichever file it came from."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import unquote

import numpy as np

from wsol.data.manifest.manifest_draft import DraftBox
from wsol.data.manifest.validation import bad_box, bad_name
from wsol.errors import UserError


class ObjectMask(Protocol):
    """A mask in the form that its source has: a file, polygons or run lengths."""

    @property
    def where(self) -> str:
        """File and line, for error messages."""
        ...

    def pixels(self) -> np.ndarray:
        """(height, width) bool, True on the object; ``UserError`` where it cannot be read."""
        ...


class Place(NamedTuple):
    """Where something stands, spelled only when it is shown: ``Place("a.csv line ", 3)``."""

    before: str
    number: int
    after: str = ""

    def __str__(self) -> str:
        return f"{self.before}{self.number}{self.after}"


class AnnotatedObject(NamedTuple):
    """One object: a box, a mask, or both. ``ignore`` marks a region that is not scored.

    ``score`` is a detector's confidence, None where none is told: higher is surer.
    """

    category: str = ""
    box: DraftBox | None = None
    mask: ObjectMask | None = None
    ignore: bool = False
    score: float | None = None

    @property
    def area(self) -> float:
        """Area of the box, else of the mask where it was counted, in pixels, else 0.

        The category with most area is the image's class.
        """
        if self.box is None:
            return float(getattr(self.mask, "area", 0))
        x0, y0, x1, y1 = self.box.box
        return (x1 - x0) * (y1 - y0)


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """What was said of one image.

    Attributes:
        file: its name as annotated: a path below the image folder, with or without suffix.
        where: file and line, for error messages.
        objects: in the source's order; none at all means an image known to show no object.
        size: (height, width) the annotation was made for, None where it does not say.
        label: class of the whole image where the source says one, else empty.
        split: where the source says one, else empty.
        source_id: the source's own id, e.g. COCO's number, else empty.
        own_classes: the source names classes: a folder is a class only if it is one of them.
        folder: where the file that annotates it lies; an image beside it is meant before all others.
        shares: boxes are shares of the image's sides, not pixels; see `wsol.data.annotations.shares`.
    """

    file: str
    where: str | Place
    objects: Sequence[AnnotatedObject] = ()
    size: tuple[int, int] | None = None
    label: str = ""
    split: str = ""
    source_id: str = ""
    own_classes: bool = False
    folder: Path | None = None
    shares: bool = False

    @property
    def boxes(self) -> np.ndarray:
        """(n, 4) float32 half-open ``x0, y0, x1, y1`` in pixels."""
        boxes = [item.box.box for item in self.objects if item.box is not None and not item.ignore]
        with np.errstate(over="ignore"):  # such a box is far outside of every image
            return np.array(boxes, np.float32).reshape(-1, 4)

    def mask(self) -> np.ndarray | None:
        """(height, width) bool union of the objects' masks; None where there is none."""
        return union([item.mask for item in self.objects if item.mask is not None and not item.ignore])

    def ignore_mask(self) -> np.ndarray | None:
        """(height, width) bool union of what is not scored; None where there is none."""
        return union([item.mask for item in self.objects if item.mask is not None and item.ignore])

    @property
    def categories(self) -> list[str]:
        """Categories of the scored objects, the one that covers most first."""
        areas: dict[str, float] = defaultdict(float)
        for item in self.objects:
            if item.category and not item.ignore:
                areas[item.category] += item.area
        return sorted(areas, key=lambda name: (-areas[name], name))


def union(masks: Sequence[ObjectMask]) -> np.ndarray | None:
    """The masks' union; those of another size than the first raise ``UserError``."""
    whole: np.ndarray | None = None
    for mask in masks:
        pixels = mask.pixels()
        if whole is None:
            whole = pixels
        elif whole.shape != pixels.shape:
            raise UserError(
                f"{mask.where}: mask of {pixels.shape[1]} x {pixels.shape[0]} pixels, the image's first "
                f"mask has {whole.shape[1]} x {whole.shape[0]}"
            )
        else:
            whole = whole | pixels
    return whole


def checked_box(
    corners: Sequence[float], source: Sequence[float], where: object, findings: list[str]
) -> DraftBox | None:
    """Half-open ``corners`` with the ``source``'s numbers; None and a finding where they are no box."""
    x0, y0, x1, y1 = corners
    a, b, c, d = source
    if problem := bad_box((x0, y0, x1, y1)):
        findings.append(f"{where}: {problem}")
        return None
    return DraftBox((x0, y0, x1, y1), (a, b, c, d), str(where))


def has_no_area(corners: Sequence[float]) -> bool:
    """Whether a box has no width or no height, as exporters write it where nothing is."""
    x0, y0, x1, y1 = corners
    return x0 <= x1 and y0 <= y1 and (x0 == x1 or y0 == y1)


def checked_file(name: object, where: object, findings: list[str], *, opened: bool = False) -> str:
    """The path by which an annotation means an image; empty and a finding where it is none.

    Exporters write paths of other machines, web addresses and backslashes: what is left is the ending
    that lies below any folder, with forward slashes. It is only compared with the paths of images that
    were found, never opened. ``opened`` is for names that are: they must be relative and stay inside.
    """
    what = "mask file" if opened else "image file"
    if not isinstance(name, str):
        findings.append(f"{where}: {name!r} is not the name of an {what}".replace("an mask", "a mask"))
        return ""
    name = name.strip().replace("\\", "/").removeprefix("./")
    if not opened:
        name = _ending(name) or name
    if problem := bad_name(name, what):
        findings.append(f"{where}: {problem}")
        return ""
    return name


ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
ABROAD = re.compile(r"/|~|[A-Za-z]:/|\.\.(/|$)|.*/\.\.(/|$)")


def _ending(name: str) -> str:
    """The part of another machine's path that can lie in a folder of images: without root and ``..``."""
    if found := ADDRESS.match(name):
        # Of a web address neither the host nor what follows the path is a folder or a name.
        name = unquote(re.split(r"[?#]", name[found.end() :])[0].partition("/")[2]).replace("\\", "/")
    if not ABROAD.match(name):
        return name
    parts = re.sub(r"^(~[^/]*|[A-Za-z]:)(?=/)", "", name).split("/")
    while ".." in parts:
        # Only what follows the last step out of a folder is certain.
        parts = parts[parts.index("..") + 1 :]
    return "/".join(part for part in parts if part not in ("", "."))


def checked_size(
    height: object, width: object, where: object, findings: list[str]
) -> tuple[int, int] | None:
    """(height, width); None where one is not given, and a finding where they are no pixel counts.

    A zero, as labelImg writes it, is not given.
    """
    if any(side in (None, "") or number(side) == 0 for side in (height, width)):
        return None
    sides = [_whole(height), _whole(width)]
    if None in sides:
        findings.append(f"{where}: size {width!r} x {height!r} is not in pixels")
        return None
    return sides[0] or 0, sides[1] or 0


def number(value: object) -> float | None:
    """A finite number, or a text that spells one; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def _whole(value: object) -> int | None:
    found = number(value)
    return int(found) if found is not None and found >= 0 and found.is_integer() else None
