"""Kinds of values a JSON file may hold, to be put together into the description of a whole file.

A kind is called with a value and raises `Wrong` where it is another; the kinds of what is around it say
where that was, ``metrics.top1_acc.value``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from wsol.errors import UserError, suggest

Kind = Callable[[Any], None]

SHOWN = 60  # letters of a wrong value that a message repeats


class Wrong(UserError):
    """What is wrong, and at which place of the file."""

    def __init__(self, said: str, place: str = "") -> None:
        super().__init__(f"{place or 'it'} {said}")
        self.said, self.place = said, place

    def within(self, key: str | int) -> Wrong:
        """The same, seen from the object or list that holds the place under ``key``."""
        joint = "" if not self.place or self.place.startswith("[") else "."
        return Wrong(self.said, f"{f'[{key}]' if isinstance(key, int) else key}{joint}{self.place}")


def wrong(value: Any, wanted: str) -> Wrong:
    """``is 'many', not a whole number``."""
    said = "null" if value is None else repr(value)
    if len(said) > SHOWN:
        said = said[:SHOWN] + "..."
    return Wrong(f"is {said}, not {wanted}")


def anything(value: Any) -> None:
    """Whatever JSON has."""


def number(least: float = -math.inf, most: float = math.inf, below: float = math.inf) -> Kind:
    """A finite number within bounds, ``most`` included and ``below`` not."""
    wanted = "a number" if least == -math.inf else f"a number, {least:g} or more"
    if most < math.inf:
        wanted = f"a number from {least:g} to {most:g}"
    elif below < math.inf:
        wanted = f"a number from {least:g} to below {below:g}"

    def check(value: Any) -> None:
        if type(value) not in (int, float) or not least <= value <= most or not value < below:
            raise wrong(value, wanted)

    return check


def whole(least: int = -(2**63), most: int = 2**63 - 1) -> Kind:
    """A whole number within bounds."""
    wanted = "a whole number" if least < -1 else f"a whole number, {least} or more"

    def check(value: Any) -> None:
        if type(value) is not int or not least <= value <= most:
            raise wrong(value, wanted)

    return check


def text(pattern: str = "", wanted: str = "text") -> Kind:
    """Text, all of which matches ``pattern`` where there is one."""
    form = re.compile(pattern, re.DOTALL) if pattern else None

    def check(value: Any) -> None:
        if type(value) is not str or (form is not None and not form.fullmatch(value)):
            raise wrong(value, wanted)

    return check


def flag(value: Any) -> None:
    """True or false."""
    if type(value) is not bool:
        raise wrong(value, "true or false")


def time(value: Any) -> None:
    """A date and time as ISO 8601 spells it."""
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise wrong(value, "a date and time such as 2026-11-21T02:14:43+00:00") from None


def nullable(kind: Kind) -> Kind:
    """Null, or what ``kind`` wants."""

    def check(value: Any) -> None:
        if value is not None:
            kind(value)

    return check


def listed(kind: Kind) -> Kind:
    """A list of such values."""

    def check(value: Any) -> None:
        if type(value) is not list:
            raise wrong(value, "a list")
        place = 0
        try:
            for place, item in enumerate(value):  # noqa: B007
                kind(item)
        except Wrong as error:
            raise error.within(place) from None

    return check


def table(kind: Kind) -> Kind:
    """An object of any keys, all of whose values are such."""

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise wrong(value, "an object")
        key = ""
        try:
            for key, item in value.items():  # noqa: B007
                kind(item)
        except Wrong as error:
            raise error.within(key) from None

    return check


def parts(
    required: Mapping[str, Kind] | None = None,
    optional: Mapping[str, Kind] | None = None,
    closed: bool = False,
) -> Kind:
    """An object with these keys; ``closed`` ones have no others."""
    required, optional = dict(required or {}), dict(optional or {})
    known = required | optional

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise wrong(value, "an object")
        for key in required:
            if key not in value:
                raise Wrong("is missing", key)
        key = ""
        try:
            for key, item in value.items():
                if key in known:
                    known[key](item)
                elif closed:
                    raise Wrong(f"is a key that nobody knows{suggest(key, known)}")
        except Wrong as error:
            raise error.within(key) from None

    return check


def deeper_than(levels: int, value: Any) -> bool:
    """Whether objects and lists are nested in ``value`` more than so many levels deep."""
    level = [value]
    for _ in range(levels + 1):
        level = [
            item
            for each in level
            if type(each) in (dict, list)
            for item in (each.values() if type(each) is dict else each)
        ]
    return bool(level)
