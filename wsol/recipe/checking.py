"""The one place where the types of a recipe are checked: for YAML, the command line and Python alike."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal, NoReturn, get_args, get_origin, get_type_hints

from wsol.errors import UserError, suggest
from wsol.recipe.fields import plain
from wsol.recipe.frozen_dict import FrozenDict

EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")
LONGEST_SHOWN = 80
NAMES = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "true or false"),
    str: ("text", "texts"),
}


@dataclass(frozen=True)
class Origin:
    """Where values were said; it decides which spellings of a number are read.

    Attributes:
        name: a file, ``command line``, or the class that Python builds: errors begin with it.
        kind: in a ``file`` and on a command ``line`` a text such as ``1e-3`` is a number where one is
            wanted: YAML 1.1 takes it for text, since it wants ``1.0e-3``. In a file, ``3.0`` is a whole
            number too: recipes of earlier runs may hold it. ``python`` has numbers: no spelling is read.
    """

    name: str
    kind: Literal["file", "line", "python"]


class CheckedSettings:
    """Base of the recipe's frozen dataclasses: what they are built of is checked, then frozen.

    Lists become tuples, mappings `FrozenDict`. ``UserError`` names the class and the key.
    """

    part: ClassVar[str] = ""

    def __init_subclass__(cls, part: str = "") -> None:
        """``part``: the name of these settings in the recipe; none for the recipe itself."""
        cls.part = part

    def __post_init__(self) -> None:
        origin = Origin(type(self).__name__, "python")
        for name in field_hints(type(self)):
            object.__setattr__(self, name, check_field(type(self), name, getattr(self, name), origin))


@cache
def field_hints(cls: type) -> dict[str, Any]:
    """The types of a dataclass's fields, in their order."""
    hints = get_type_hints(cls)
    return {item.name: hints[item.name] for item in dataclasses.fields(cls)}


@cache
def _bounds(cls: type) -> dict[str, tuple[float, float]]:
    """The smallest and the largest number of each field; infinities where there is none."""
    found = {}
    for item in dataclasses.fields(cls):
        least, most = (item.metadata.get(name) for name in ("least", "most"))
        found[item.name] = (
            -math.inf if least is None else least,
            math.inf if most is None else most,
        )
    return found


def is_part(hint: Any) -> bool:
    """Whether a field of this type is a part of the recipe: settings of their own."""
    return isinstance(hint, type) and issubclass(hint, CheckedSettings)


def dotted(cls: type[CheckedSettings], name: str) -> str:
    """The key of a field as the command line has it: ``training.lr``, ``seed``."""
    return f"{cls.part}.{name}" if cls.part else name


def check_mapping(cls: type[CheckedSettings], raw: Any, origin: Origin) -> dict[str, Any]:
    """The fields that a mapping gives, checked; those of a part are a mapping again.

    Raises:
        UserError: what is no mapping, an unknown key, a value of another type.
    """
    if not isinstance(raw, Mapping):
        raise UserError(
            f"{origin.name}: {cls.part or 'the recipe'} must be a mapping, not {_shown(raw)}"
        )
    hints = field_hints(cls)
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in hints:
            unknown = dotted(cls, str(key))
            raise UserError(f"{origin.name}: unknown key {unknown!r}{suggest(str(key), hints)}")
        if is_part(hints[key]):
            values[key] = check_mapping(hints[key], value, origin)
        else:
            values[key] = check_field(cls, key, value, origin)
    return values


def build(cls: type, values: Mapping[str, Any]) -> Any:
    """The dataclass of what `check_mapping` gave."""
    hints = field_hints(cls)
    return cls(
        **{
            key: build(hints[key], value) if is_part(hints[key]) else value
            for key, value in values.items()
        }
    )


def check_field(cls: type[CheckedSettings], name: str, value: Any, origin: Origin) -> Any:
    """The value in its field's type; ``UserError`` where it has another, is too small or too large."""
    key = dotted(cls, name)
    checked = check(value, field_hints(cls)[name], key, origin)
    _check_bounds(checked, _bounds(cls)[name], key, origin)
    return checked


def _check_bounds(value: Any, bounds: tuple[float, float], key: str, origin: Origin) -> None:
    least, most = bounds
    if isinstance(value, tuple):
        for index, member in enumerate(value):
            _check_bounds(member, bounds, f"{key}[{index}]", origin)
    elif isinstance(value, Mapping):
        for name, member in value.items():
            _check_bounds(member, bounds, f"{key}.{name}", origin)
    elif isinstance(value, int | float) and not least <= value <= most:
        wanted = f"{least} or more" if most == math.inf else f"from {least} to {most}"
        raise UserError(f"{origin.name}: {key} is {_shown(value)}: must be {wanted}")


def check(value: Any, hint: Any, key: str, origin: Origin) -> Any:
    """``value`` as the type ``hint`` says; ``UserError`` names ``key``, down to the element."""
    kind = get_origin(hint)
    if hint is Any:
        return _check_free(value, key, origin)
    if kind in (Sequence, tuple):
        return _check_list(value, hint, key, origin)
    if kind is Mapping:
        if not isinstance(value, Mapping):
            _refuse(value, hint, key, origin)
        return _check_items(value, get_args(hint)[1], key, origin)
    if hint is float:
        number = value if origin.kind == "python" else _number(value)
        if isinstance(number, int | float) and not isinstance(number, bool):
            return float(_finite(number, key, origin))
    elif hint is int:
        if isinstance(value, int) and not isinstance(value, bool):
            return int(value)
        if origin.kind == "file" and isinstance(value, float) and value.is_integer():
            return int(value)
    elif isinstance(value, hint):  # text, true or false, a part
        return value
    return _refuse(value, hint, key, origin)


def _check_list(value: Any, hint: Any, key: str, origin: Origin) -> tuple[Any, ...]:
    """A tuple of checked elements; one text alone is a list of it, where texts are wanted."""
    element, *others = get_args(hint)
    if isinstance(value, str) and element is str:
        value = [value]
    length = 1 + len(others) if get_origin(hint) is tuple and ... not in others else None
    if not isinstance(value, list | tuple) or length not in (None, len(value)):
        _refuse(value, hint, key, origin)
    return tuple(check(member, element, f"{key}[{index}]", origin) for index, member in enumerate(value))


def _check_items(value: Mapping[Any, Any], hint: Any, key: str, origin: Origin) -> FrozenDict[str, Any]:
    for name in value:
        if not isinstance(name, str):
            raise UserError(f"{origin.name}: {key}: the key {name!r} must be text: write '{name}'")
    return FrozenDict({name: check(item, hint, f"{key}.{name}", origin) for name, item in value.items()})


def _check_free(value: Any, key: str, origin: Origin) -> Any:
    """An option of somebody's class: anything that JSON can say, since it is hashed as JSON.

    A text such as ``1e-3`` becomes a number in Python too: written to YAML it would come back as one.
    """
    value = _number(value)
    if isinstance(value, Mapping):
        return _check_items(value, Any, key, origin)
    if isinstance(value, list | tuple):
        return tuple(_check_free(one, f"{key}[{index}]", origin) for index, one in enumerate(value))
    if isinstance(value, float):
        return _finite(value, key, origin)
    if value is None or isinstance(value, str | bool | int):
        return value
    return _refuse(value, Any, key, origin)


def _number(value: Any) -> Any:
    """``1e-3``, which YAML 1.1 reads as text, as the number it is; everything else unchanged."""
    if isinstance(value, str) and EXPONENT.fullmatch(value):
        return float(value)
    return value


def _finite(number: float, key: str, origin: Origin) -> float:
    """The number; NaN and infinity make no setting, nor can they be hashed as JSON."""
    try:
        if math.isfinite(number):
            return number
    except OverflowError:  # a whole number beyond every float
        pass
    raise UserError(f"{origin.name}: {key} is {_shown(number)}: must be finite")


def _refuse(value: Any, hint: Any, key: str, origin: Origin) -> NoReturn:
    raise UserError(f"{origin.name}: {key} must be {in_words(hint)}, not {_shown(value)}")


def in_words(hint: Any) -> str:
    """A type as a user calls it: ``a whole number``, ``a list of 3 numbers``."""
    if hint in NAMES:
        return NAMES[hint][0]
    kind = get_origin(hint)
    if kind is Mapping:
        return "a mapping"
    if kind in (Sequence, tuple):
        element, *others = get_args(hint)
        count = f"{1 + len(others)} " if kind is tuple and ... not in others else ""
        return f"a list of {count}{NAMES[element][1]}"
    return "text, a number, true, false, null, a list or a mapping" if hint is Any else hint.__name__


def _shown(value: Any) -> str:
    text = " ".join(repr(plain(value)).split())
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."
