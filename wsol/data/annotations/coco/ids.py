"""Ids of COCO's tables: the same number is the same id, whichever way a tool writes it."""

from __future__ import annotations

import re
from typing import Any

WHOLE = re.compile(r"(-?[0-9]+)\.0+")
EXACT = 2**53  # beyond it neighbouring whole numbers are one float


def id_of(value: Any) -> str:
    """An id as text: 3, 3.0, ``"3"`` and ``"3.0"`` are all ``3``; other texts stay as they are.

    Empty where it is none: true, null, a list, 3.5, or a float so large that it stands for several.
    """
    if isinstance(value, bool):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) <= EXACT else ""
    if isinstance(value, str):
        found = WHOLE.fullmatch(value) if value.endswith("0") else None
        return found[1] if found else value
    return str(value) if isinstance(value, int) else ""


def no_id(value: Any) -> str:
    """What is wrong with a value that is no id."""
    return "no id" if value is None else f"{shown(value)} is no id, a whole number or a text"


def shown(value: Any) -> str:
    """A value of a JSON file as a message shows it, cut where it is long."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
