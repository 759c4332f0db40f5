"""JSON without what its readers take in different ways."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from wsol.errors import UserError
from wsol.scores.records.kinds import deeper_than

DEEPEST = 24
TOO_DEEP = f"it is nested deeper than {DEEPEST} levels"
LONGEST_NUMBER = 18  # digits of a whole number: more overflow where they become floats

# Halves of characters, which no file can hold, and what would end a text early or steer a terminal.
UNPRINTABLE = re.compile("[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f]")


def strict_json(content: bytes) -> Any:
    """What ``content`` says; a whole number is an int however it is spelled.

    Raises:
        UserError: it is no UTF-8 text or no JSON, has a key twice, NaN, infinity or numbers as large as
            that, text that cannot be printed, or is nested more than `DEEPEST` levels.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"it is not UTF-8 text (byte {error.start})") from error
    if not text.strip():
        raise UserError("it is empty")
    try:
        found = json.loads(
            text,
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        raise UserError(f"it is not JSON: {error}") from error
    except RecursionError:
        raise UserError(TOO_DEEP) from None
    if deeper_than(DEEPEST, found):
        raise UserError(TOO_DEEP)
    if "\\u" in text:  # only an escape brings such letters past the decoder
        _check_letters(found)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UserError(f"the key {twice!r} stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise UserError(f"it holds {name}, which is no number in JSON")


def _finite(digits: str) -> float | int:
    number = float(digits)
    if not math.isfinite(number):
        raise UserError(f"it holds {digits[:LONGEST_NUMBER]}, a number too large")
    return int(number) if number.is_integer() else number


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise UserError(f"it holds {digits[:LONGEST_NUMBER]}..., a number too large")
    return int(digits)


def _check_letters(value: Any) -> None:
    if isinstance(value, str) and UNPRINTABLE.search(value):
        raise UserError(f"it holds the text {value[:60]!r}, which cannot be printed")
    if isinstance(value, dict):
        for key, item in value.items():
            _check_letters(key)
            _check_letters(item)
    if isinstance(value, list):
        for item in value:
            _check_letters(item)
