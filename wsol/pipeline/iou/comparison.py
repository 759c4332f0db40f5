"""Both sides compared image by image: tables are written as images stream by, figures come last."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wsol.errors import UserError
from wsol.evaluation import overlap
from wsol.evaluation.objects import object_table
from wsol.evaluation.objects.class_names import ClassCodes, class_codes
from wsol.evaluation.objects.figures import ObjectFigures, object_figures
from wsol.evaluation.objects.image_objects import pair_iou
from wsol.evaluation.objects.matching import LEVELS, SCORED_LEVELS, TABLE_LEVEL, match
from wsol.evaluation.objects.tally import Tally
from wsol.files.csv_table import TableWriter, table_writer
from wsol.files.writing.atomic import replacing
from wsol.pipeline.iou.image_pair import image_pair
from wsol.pipeline.iou.outside import Outside
from wsol.pipeline.iou.pixel_sizes import PixelSizes
from wsol.pipeline.iou.sides import Sides
from wsol.progress import track


@dataclass(frozen=True)
class Comparison:
    """What came out.

    Attributes:
        totals: mean IoU and accuracies of the best pairs, see `wsol.evaluation.overlap.totals`.
        objects: recall, precision and AP of one-to-one matching.
        images: how many were compared, ``empty`` of them without an object.
        false_alarms: predictions in images without an object; they count in precision and AP only.
        ignored: true objects that do not count.
        scored: whether the predictions have scores, and so an AP.
        notes: what a user should know, a line each.
    """

    totals: dict[str, dict[str, float | None]]
    objects: ObjectFigures
    images: int
    empty: int
    false_alarms: int
    ignored: int
    scored: bool
    notes: list[str] = field(default_factory=list)


def objects_table(output: Path) -> Path:
    """The table of objects that lies beside the table of images: ``iou_objects.csv`` by ``iou.csv``."""
    return output.with_name(f"{output.stem}_objects{output.suffix}")


def compare(sides: Sides, output: Path, sizes: PixelSizes | None = None) -> Comparison:
    """Compare both sides and write the tables of images and of objects, whole or not at all.

    Images are taken one at a time: what is kept of each is its IoU and some bytes an object. ``sizes``
    are needed where boxes are shares of the image's sides.

    Raises:
        UserError: what is wrong with the images, a line each.
    """
    codes, scored, notes = _survey(sides)
    levels = SCORED_LEVELS if scored else np.array(LEVELS)
    place = int(np.argmin(np.abs(levels - TABLE_LEVEL)))
    sizes = sizes or PixelSizes()
    best, tally, outside, findings, false_alarms = array("d"), Tally(), Outside(), [], 0
    with ExitStack() as stack:
        images = _open(stack, output, overlap.COLUMNS)
        objects = _open(stack, objects_table(output), object_table.COLUMNS)
        for name, true in track(sides.true.items(), len(sides.true), "iou"):
            try:
                pixels = sizes.in_pixels(name, sides.predicted[sides.names[name]], true)
                outside.look_at(*pixels)
                pair = image_pair(name, *pixels, codes, scored=scored)
                predicted, truth = pair.sides
                iou = pair_iou(predicted, truth)
                matches = match(predicted, truth, iou, levels)
                _write(images, [pair.row], name, output)
                rows = object_table.object_rows(name, pair.sides, iou, matches[place], pair.classes)
                _write(objects, rows, name, output)
            except UserError as error:
                findings.append(str(error))
                continue
            best.append(pair.best.iou)
            tally.add(predicted, truth, matches)
            false_alarms += len(predicted) if np.isnan(pair.best.iou) else 0
        if findings:
            raise UserError.of(findings)
    if sizes.in_shares:
        notes.append(
            f"{sizes.in_shares} images are compared in shares on both sides, and so written in the "
            "tables: nothing tells their size"
        )
    notes += outside.notes()
    iou = np.array(best)
    return Comparison(
        totals=overlap.totals(iou),
        objects=object_figures(tally.tallied(), codes.names, levels, scored=scored),
        images=len(iou),
        empty=int(np.isnan(iou).sum()),
        false_alarms=false_alarms,
        ignored=tally.ignored,
        scored=scored,
        notes=notes,
    )


def _survey(sides: Sides) -> tuple[ClassCodes, bool, list[str]]:
    """What classes there are, whether predictions are scored, and what is to be said of it."""
    true: set[str] = set()
    for image in sides.true.values():
        true.update(item.category for item in image.objects if item.category or not item.ignore)
    predicted: set[str] = set()
    count = scored = 0
    for image in sides.predicted.values():
        for item in (item for item in image.objects if not item.ignore):
            predicted.add(item.category)
            count += 1
            scored += item.score is not None
    codes = class_codes(true, predicted, sides.stands_for, sides.category_names)
    notes = list(codes.notes)
    if 0 < scored < count:
        notes.append(
            f"{count - scored} of {count} predictions have no score: scores are not read, there is no AP"
        )
    return codes, 0 < scored == count, notes


def _open(stack: ExitStack, path: Path, columns: list[str]) -> TableWriter:
    temporary = stack.enter_context(replacing(path))
    return table_writer(stack.enter_context(temporary.open("w", encoding="utf-8", newline="")), columns)


def _write(table: TableWriter, rows: Iterable[list[str]], name: str, output: Path) -> None:
    try:
        table.writerows(rows)
    except UnicodeEncodeError:
        raise UserError(
            f"{output}: the names of image {name!r} or of its classes hold bytes that are no UTF-8 "
            "text: rename them"
        ) from None
