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
from wsol.data.annotations.formats.image_places import image_folder
from wsol.data.annotations.formats.xml_tree import read_xml, text_of
from wsol.data.manifest.box_conventions import half_open
from wsol.data.manifest.manifest_draft import DraftBox
from wsol.errors import UserError

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_voc_files(folder: Path, paths: list[Path], reading: AnnotationPass) -> list[AnnotatedImage]:
    """The XML files ``paths``, all below ``folder``; what is wrong with one goes to ``reading``.

    An image is found by its annotation's place and name, as the official release has it;
    ``<filename>`` is not read, since many tools do not update it when files are renamed. A file without
    ``<object>`` is of an image without object, a size of 0 is not known. Objects marked ``<difficult>``
    are scored as the others, and counted in a note: the VOC challenge leaves them out.
    """
    images, difficult = [], 0
    for path in paths:
        try:
            root = read_xml(path)
        except UserError as error:
            reading.findings.append(str(error))
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        image = _image(path, name, root, reading)
        if image is not None:
            images.append(image)
        difficult += sum(text_of(item, "difficult") == "1" for item in root.findall("object"))
    if difficult:
        reading.notes.append(
            f"{folder}: {difficult} objects marked <difficult> are scored like the others; VOC's own "
            "evaluation leaves them out"
        )
    return images


def _image(
    path: Path, name: str, root: ElementTree.Element, reading: AnnotationPass
) -> AnnotatedImage | None:
    findings, convention = reading.findings, reading.convention("voc")
    if root.tag != "annotation":
        findings.append(f"{path}: not VOC XML: its first element is <{root.tag}>, not <annotation>")
        return None
    file = checked_file(name, str(path), findings)
    size = checked_size(text_of(root, "size/height"), text_of(root, "size/width"), str(path), findings)
    objects = []
    for count, item in enumerate(root.findall("object"), start=1):
        box = _box(item, convention, f"{path} object {count}", findings)
        if box is not None:
            objects.append(AnnotatedObject(text_of(item, "name"), box))
    if not file:
        return None
    home = image_folder(path.parent)
    return AnnotatedImage(file, str(path), tuple(objects), size, folder=home, shares=reading.shares)


def _box(item: ElementTree.Element, convention: str, where: str, findings: list[str]) -> DraftBox | None:
    boxes = item.findall("bndbox")
    if len(boxes) != 1:
        turned = " (its <robndbox> is turned: export upright boxes)" if item.find("robndbox") else ""
        findings.append(f"{where}: {len(boxes)} <bndbox> where an object has one{turned}")
        return None
    texts = [text_of(boxes[0], corner) for corner in CORNERS]
    values = [value for text in texts if (value := number(text)) is not None]
    if len(values) != 4:
        findings.append(
            f"{where}: {' '.join(map(repr, texts))} are not four numbers, {', '.join(CORNERS)}"
        )
        return None
    problems: list[str] = []
    box = checked_box(half_open(values, convention), values, where, problems)
    for axis, low, high in (("x", values[0], values[2]), ("y", values[1], values[3])):
        if problems and low > high:
            problems[0] += f"; {axis}min is the larger one: they may be swapped"
    findings += problems
    return box
