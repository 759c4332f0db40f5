"""Masks whose values were declared: which of them occur, and the objects that they make."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from wsol.data.annotations.annotated import AnnotatedImage, AnnotatedObject
from wsol.data.annotations.annotation_pass import AnnotationPass
from wsol.data.annotations.mask_values import BACKGROUND, IGNORE, OBJECT, MaskValues
from wsol.data.annotations.masks.mask_files import MaskFile, ValuesOf
from wsol.errors import UserError
from wsol.files.pictures.mask_file import LOSSY
from wsol.files.pictures.opening import opened
from wsol.files.pictures.pixel_values import FileValues, open_values

SHOWN = 5  # values named in a note


class _Found(NamedTuple):
    """Pixels of each name, the single declared values that occur, and what occurs undeclared."""

    areas: Mapping[str, int] = MappingProxyType({})
    occurring: frozenset[str] = frozenset()
    undeclared: tuple[str, ...] = ()
    problem: str = ""


def with_declared(
    path: Path,
    images: list[AnnotatedImage],
    files: list[Path],
    values: MaskValues,
    reading: AnnotationPass,
) -> list[AnnotatedImage]:
    """The images of the source ``path`` with an object for each declared name in their mask ``files``.

    Declared values that occur in no file, and values that occur undeclared, are notes; files in which
    no value can be told are findings.
    """
    with ThreadPoolExecutor() as pool:
        found = dict(zip(files, pool.map(lambda file: _find(file, values), files), strict=True))
    reading.findings += [one.problem for one in found.values() if one.problem]
    occurring = frozenset().union(*(one.occurring for one in found.values()))
    option = reading.option("mask-values")
    absent = [
        f"{name}={','.join(texts)}"
        for name, declared in values.names
        if (texts := [text for text, _ in declared.single() if text not in occurring])
    ]
    if absent:
        reading.notes.append(f"{option} {' '.join(absent)}: in none of the {len(files)} masks in {path}")
    odd = [one.undeclared for one in found.values() if one.undeclared]
    objects = {name for name, _ in values.names} - {IGNORE, BACKGROUND}
    if odd and not any(one.areas.get(name) for one in found.values() for name in objects):
        reading.findings.append(
            f"{path}: none of its {len(files)} masks holds a value that {option} calls an object; they "
            f"hold {', '.join(dict.fromkeys(text for several in odd for text in several))}"
        )
        return images
    if odd:
        texts = list(dict.fromkeys(text for several in odd for text in several))
        more = ", ..." if len(texts) > SHOWN else ""
        reading.notes.append(
            f"{path}: {len(odd)} masks hold values that {option} does not name "
            f"({', '.join(texts[:SHOWN])}{more}): they are background"
        )
    return [_with_objects(image, found, values) for image in images]


def _with_objects(
    image: AnnotatedImage, found: dict[Path, _Found], values: MaskValues
) -> AnnotatedImage:
    objects: list[AnnotatedObject] = []
    for item in image.objects:
        if not isinstance(item.mask, MaskFile) or item.ignore:
            objects.append(item)
            continue
        areas, made = found[item.mask.path].areas, []
        for name, declared in values.names:
            mask = ValuesOf(item.mask.path, declared, areas.get(name, 0))
            if name == OBJECT:  # also where it is empty: the image is known to show none
                made.append(item._replace(mask=mask))
            elif name == IGNORE and mask.area:
                made.append(AnnotatedObject(mask=mask, ignore=True))
            elif name not in (IGNORE, BACKGROUND) and mask.area:
                made.append(item._replace(category=name, mask=mask))
        if item.box is not None and not any(one.box for one in made):
            made.append(item._replace(mask=None))
        objects += made
    return replace(image, objects=tuple(objects))


def _find(file: Path, values: MaskValues) -> _Found:
    try:
        if file.suffix.lower() != ".npy":
            with opened(file) as image:
                if image.format in LOSSY:
                    return _Found(problem=f"{file}: JPEG blurs the values of masks; save it as PNG")
        read = open_values(file)
    except FileNotFoundError:
        return _Found(problem=f"{file}: no such mask")
    except UserError as error:
        return _Found(problem=str(error))
    if problem := _unreadable(read, values):
        return _Found(problem=f"{file}: {problem}")
    areas, occurring = {}, set()
    numbers, colours = read
    rest = np.ones((numbers if numbers is not None else colours).shape, bool)  # type: ignore[union-attr]
    for name, declared in values.names:
        inside = declared.among(read)
        areas[name] = int(np.count_nonzero(inside))
        rest &= ~inside
        if areas[name]:
            occurring |= {text for text, one in declared.single() if one.among(read).any()}
    return _Found(areas, frozenset(occurring), _texts(read, rest, values))


def _unreadable(read: FileValues, values: MaskValues) -> str:
    """Why no declared value can be told in a file; empty where one can."""
    numbers = any(declared.numbers for _, declared in values.names)
    if (numbers and read.numbers is not None) or (values.colours and read.colours is not None):
        return ""
    if read.colours is None:
        return "has no colours; declare its numbers, e.g. --mask-values object=1"
    found = ", ".join(f"#{value:06x}" for value in np.unique(read.colours)[:SHOWN].tolist())
    return f"is in colours ({found}); declare colours, e.g. --mask-values object=#e04020"


def _texts(read: FileValues, rest: np.ndarray, values: MaskValues) -> tuple[str, ...]:
    """The values in ``rest`` (height, width) bool as they would be declared, but 0 and black."""
    numbers = any(declared.numbers for _, declared in values.names)
    if read.numbers is not None and (numbers or read.colours is None):
        return tuple(f"{value:g}" for value in np.unique(read.numbers[rest]).tolist() if value)
    assert read.colours is not None
    return tuple(f"#{value:06x}" for value in np.unique(read.colours[rest]).tolist() if value)
