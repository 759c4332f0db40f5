"""What is wrong with a name, a box or a code: the same words when a manifest is written and read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from wsol.files.pictures.images import MAX_PIXELS

LONGEST = 255  # bytes of a file name, on every common file system
SURROGATE = re.compile("[\ud800-\udfff]")  # what file names that are no UTF-8 text become in Python
CONTROL = re.compile("[\x00-\x1f\x7f]")
TRAINED = "train"  # the split that models learn from; all others may be scored
PART_CODES = frozenset(map(str, range(1, 256)))


def bad_text(text: str, what: str) -> str:
    """What is wrong with a word that tables hold, e.g. a class; empty where nothing is."""
    if not text:
        return f"no {what}"
    if SURROGATE.search(text):
        return f"{what} {text!r} is not UTF-8 text"
    if CONTROL.search(text):
        return f"{what} {text!r} holds control characters"
    if text != text.strip():
        # Tables are read without the blanks around their cells.
        return f"{what} {text!r} begins or ends with a blank; rename it"
    return ""


def bad_name(name: str, what: str) -> str:
    """What is wrong with an id or a path that must stay inside its folder; empty where nothing is."""
    if problem := bad_text(name, what):
        return problem
    # Most names are short as a whole: then their parts need not be measured.
    if len(name.encode()) > LONGEST and any(len(part.encode()) > LONGEST for part in name.split("/")):
        return f"{what} {name[:40]!r}... is longer than the {LONGEST} bytes a file name may have"
    if name.startswith(("/", "\\", "~")) or name[1:3] in (":/", ":\\"):
        return f"{what} {name!r} must be relative to the root"
    if ".." in name.replace("\\", "/").split("/"):
        return f"{what} {name!r} leaves the root"
    if not name.strip("./"):
        return f"{what} {name!r} names nothing"
    return ""


def bad_size(height: int, width: int) -> str:
    """What is wrong with a size that nobody measured; empty where nothing is. Masks are made of it."""
    if height * width > MAX_PIXELS:
        return f"size {width} x {height} is over the {MAX_PIXELS:,} pixels that an image may have"
    return ""


def bad_part_names(names: Mapping[int, object] | Mapping[str, object]) -> list[str]:
    """What is wrong with the names of part codes, a line each; a pixel of code 0 belongs to no part."""
    findings = [f"{code} is no code from 1 to 255" for code in names if str(code) not in PART_CODES]
    for code, name in names.items():
        if not isinstance(name, str):
            findings.append(f"code {code} must have a name, not {name!r}")
        elif problem := bad_text(name, f"name of code {code}"):
            findings.append(problem)
    if len({*map(repr, names.values())}) < len(names):
        findings.append("two codes have one name")
    return findings


def missing_label(split: str, *, queries: bool) -> str:
    """What is wrong with a box without a label, in a split of that name; empty where nothing is."""
    if queries and split != TRAINED:
        return "the box has no label, which it needs where images are scored by queries"
    return ""


def unnamed_codes(path: str, codes: Iterable[int], names: Mapping[int, str]) -> list[str]:
    """What is wrong with the codes that occur in the PNG ``path``: a line where some have no name."""
    unnamed = sorted(set(codes) - {0} - names.keys())
    if not unnamed:
        return []
    listed = ", ".join(map(str, unnamed[:5])) + (", ..." if len(unnamed) > 5 else "")
    return [f"{path}: pixels of code {listed}, which is not among the named parts"]


def bad_box(box: list[float] | tuple[float, ...], height: int = 0, width: int = 0) -> str:
    """What is wrong with a half-open box, empty where nothing is.

    It must lie in the image of ``height`` and ``width``; 0 means that they are not known.
    """
    problem = bad_numbers(box)
    if problem:
        return problem
    x0, y0, x1, y1 = box
    if x1 <= x0:
        return f"x1 ({x1:g}) is not right of x0 ({x0:g})"
    if y1 <= y0:
        return f"y1 ({y1:g}) is not below y0 ({y0:g})"
    if height and width and (x0 < 0 or y0 < 0 or x1 > width or y1 > height):
        return f"box {x0:g} {y0:g} {x1:g} {y1:g} sticks out of the image ({width} x {height})"
    return ""


def bad_numbers(numbers: list[float] | tuple[float, ...]) -> str:
    """Says so where a number is infinite or not a number."""
    if all(map(math.isfinite, numbers)):
        return ""
    return f"{' '.join(f'{number:g}' for number in numbers)} are not finite numbers"
