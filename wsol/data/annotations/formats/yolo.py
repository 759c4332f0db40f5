"""YOLO's labels: a text file an image, a row an object, numbers as shares of the image's sides.

A row is a class id and then ``cx cy w h`` of a box, or three and more points ``x y`` of an outline (a
turned box is one of four); a detector's score may follow. An empty file is an image without object.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject, checked_box, checked_file
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.formats.image_places import image_folder, image_name
from wsol.data.annotations.formats.yolo_classes import Classes, ClassFinder
from wsol.data.annotations.masks.outlines import outlined, with_whole_masks
from wsol.data.annotations.masks.polygons import ShareOutlines
from wsol.errors import UserError
from wsol.files.reading import read_regular

LARGEST = 2**26  # bytes of one image's labels
ROUNDING = 0.01  # a share may be so far outside the image
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def read_yolo(folder: Path, paths: list[Path], reading: AnnotationPass) -> list[AnnotatedImage]:
    """The labels ``paths``, all below ``folder``; what is wrong with a row goes to ``reading``.

    An image is found by the place and name of its labels, ``labels`` and ``images`` being alike. Boxes
    are shares until the image's size is known (`wsol.data.annotations.shares`). Without a ``data.yaml``
    or a list of classes in their folder or above it, the ids are the classes' names.
    """
    finder = ClassFinder(folder, reading.findings)
    _ = reading.shares  # --corners shares says what they are
    images, unnamed, keypoints = [], False, 0
    for path in paths:
        name = image_name(PurePosixPath(path.relative_to(folder).with_suffix("").as_posix()))
        file = checked_file(name, str(path), reading.findings)
        rows = _rows(path, reading.findings)
        if not file or rows is None:
            continue
        classes = finder.of(path.parent)
        objects = []
        for line, row in rows:
            row = _Row(row, classes, f"{path} line {line}", reading.findings)
            objects += row.objects()
            keypoints += classes.keypoints
        unnamed |= bool(objects) and not classes.names
        home = image_folder(path.parent)
        images.append(
            AnnotatedImage(
                file,
                str(path),
                tuple(objects),
                own_classes=bool(classes.names),
                folder=home,
                shares=True,
            )
        )
    if unnamed:
        reading.notes.append(
            f"{folder}: neither data.yaml nor classes.txt there or above it: classes are called by ids"
        )
    if keypoints:
        reading.notes.append(f"{folder}: keypoints of {keypoints} objects are left out")
    return with_whole_masks(images, str(folder), reading.notes)


class _Row:
    """One row on its way to an object."""

    def __init__(self, words: list[str], classes: Classes, where: str, findings: list[str]) -> None:
        self.words, self.classes, self.where, self.findings = words, classes, where, findings

    def objects(self) -> list[AnnotatedObject]:
        """The row's object; none, and a finding, where it is not sound."""
        problems: list[str] = []
        found = self._object(problems)
        self.findings += [f"{self.where}: {problem}" for problem in problems[:1]]
        return [] if problems else found

    def _object(self, problems: list[str]) -> list[AnnotatedObject]:
        values = [float(word) if NUMBER.fullmatch(word) else None for word in self.words]
        numbers = [value for value in values if value is not None and abs(value) < 1e300]
        if len(numbers) != len(values):
            bad = next(
                word for word, value in zip(self.words, values, strict=True) if value not in numbers
            )
            problems.append(f"{bad[:40]!r} is not a number")
            return []
        category = self._category(numbers[0], problems)
        shares, score = self._parted(numbers[1:])
        if len(shares) != 4 and (len(shares) < 6 or len(shares) % 2):
            problems.append(
                f"{len(numbers)} numbers are neither class cx cy w h nor class and three points x y "
                "or more"
            )
            return []
        if score is not None and not 0 <= score <= 1:
            problems.append(f"score {score:g} is not in 0..1")
        if min(shares) < -ROUNDING or max(shares) > 1 + ROUNDING:
            far = max(shares, key=lambda share: abs(share - 0.5))
            problems.append(
                f"{far:g} is no share of the image, 0 to 1; are these pixels? YOLO writes shares: "
                "divide by the image's width and height"
            )
        if problems:
            return []
        found: list[str] = []
        objects = self._shape(category, shares, found)
        problems += [text.removeprefix(f"{self.where}: ") for text in found]
        return [item._replace(score=score) for item in objects]

    def _parted(self, numbers: list[float]) -> tuple[list[float], float | None]:
        """The shares and the score, which makes their number odd."""
        if self.classes.keypoints and len(numbers) >= 4:
            return numbers[:4], None
        return (numbers[:-1], numbers[-1]) if len(numbers) % 2 and len(numbers) >= 5 else (numbers, None)

    def _shape(self, category: str, shares: list[float], found: list[str]) -> list[AnnotatedObject]:
        if len(shares) == 4:
            x, y, width, height = shares
            corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            box = checked_box(corners, shares, self.where, found)
            return [] if box is None else [AnnotatedObject(category, box)]
        outline = list(zip(shares[::2], shares[1::2], strict=True))
        mask = ShareOutlines((tuple(shares),), self.where)
        return outlined(category, [outline], mask, self.where, found)

    def _category(self, value: float, problems: list[str]) -> str:
        names = self.classes.names
        if value < 0 or not value.is_integer() or value > 1e9:
            problems.append(f"class id {self.words[0][:40]} is not a whole number from 0")
            return ""
        if names and int(value) not in names:
            told = self.classes.path.name if self.classes.path else ""
            problems.append(f"class id {int(value)} is not among the {len(names)} classes of {told}")
        return names.get(int(value), str(int(value)))


def _rows(path: Path, findings: list[str]) -> list[tuple[int, list[str]]] | None:
    """Line number and words of each row that is not empty; None and a finding where it is no text."""
    try:
        text = read_regular(path, LARGEST).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        findings.append(f"{path}: not UTF-8 text ({error.reason})")
        return None
    except UserError as error:
        findings.append(str(error))
        return None
    lines = enumerate(text.splitlines(), start=1)
    return [(line, words) for line, row in lines if (words := row.split())]
