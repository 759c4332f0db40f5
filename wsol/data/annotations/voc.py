"""Pascal VOC XML (Everingham et al. 2010), one file an image, as most box tools write it."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
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
from wsol.data.manifest.box_conventions import half_open
from wsol.data.manifest.manifest_draft import DraftBox
from wsol.files.reading import refuse_no_file

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_voc_files(folder: Path, paths: list[Path], reading: AnnotationPass) -> list[AnnotatedImage]:
    """The XML files ``paths``, all below ``folder``; what is wrong with one goes to ``reading``.

    An image is found by its annotation's place and name, as the official release has it;
    ``<filename>`` is not read, since many tools do not update it when files are renamed.
    """
    images = []
    for path in paths:
        name = path.relative_to(folder).with_suffix("").as_posix()
        image = read_voc(path, name, reading)
        if image is not None:
            images.append(image)
    return images


def read_voc(path: Path, name: str, reading: AnnotationPass) -> AnnotatedImage | None:
    """One file, of the image ``name``; None and a finding where it cannot be read or has no object."""
    findings, convention = reading.findings, reading.convention("voc")
    try:
        refuse_no_file(path)
        root = ElementTree.parse(path).getroot()
    except (OSError, ValueError, LookupError, RecursionError, ElementTree.ParseError) as error:
        findings.append(f"{path}: not an XML annotation ({error})")
        return None
    file = checked_file(name, str(path), findings)
    size = checked_size(_text(root, "size/height"), _text(root, "size/width"), str(path), findings)
    objects = []
    items = root.findall("object")
    for count, item in enumerate(items, start=1):
        where = f"{path} object {count}"
        box = _box(item, convention, where, findings)
        if box is not None:
            objects.append(AnnotatedObject(_text(item, "name"), box))
    if not items:
        findings.append(f"{path}: no object; delete the file if the image shows none")
    return (
        AnnotatedImage(file, str(path), tuple(objects), size, folder=path.parent, shares=reading.shares)
        if file
        else None
    )


def _box(item: ElementTree.Element, convention: str, where: str, findings: list[str]) -> DraftBox | None:
    texts = [_text(item, f"bndbox/{corner}") for corner in CORNERS]
    numbers = [number(text) for text in texts]
    values = [value for value in numbers if value is not None]
    if len(values) != 4:
        findings.append(
            f"{where}: {' '.join(map(repr, texts))} are not four numbers, {', '.join(CORNERS)}"
        )
        return None
    return checked_box(half_open(values, convention), values, where, findings)


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
