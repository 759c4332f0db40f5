"""Annotation files in XML as a tree of elements; what could grow while it is read is refused."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from wsol.errors import UserError
from wsol.files.reading import read_regular

LARGEST = 2**28  # bytes; the tree takes about ten times as much memory


def read_xml(path: Path) -> ElementTree.Element:
    """The root of an XML file of at most `LARGEST` bytes; tags are without namespace.

    ``UserError`` where it is no XML, or declares entities, which no annotation tool does: a few lines
    of them can stand for gigabytes.
    """
    content = read_regular(path, LARGEST)
    # Whatever encoding the parser knows writes these letters as ASCII does, UTF-16 with zeros between.
    if b"<!ENTITY" in content.replace(b"\0", b""):
        raise UserError(f"{path}: not an XML annotation (it declares entities)")
    try:
        root = ElementTree.fromstring(content)
    except (ValueError, LookupError, RecursionError, ElementTree.ParseError) as error:
        raise UserError(f"{path}: not an XML annotation ({error})") from error
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = local_name(element.tag)
    return root


def local_name(tag: str) -> str:
    """``annotation`` of ``{http://...}annotation``."""
    return tag.rpartition("}")[2]


def text_of(element: ElementTree.Element, path: str) -> str:
    """The stripped text of the first element at ``path``; empty where there is none."""
    return (element.findtext(path) or "").strip()
