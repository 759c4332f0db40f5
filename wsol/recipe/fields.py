"""The fields of a recipe: how they are marked, read from a mapping and checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from wsol.errors import UserError, suggest


def not_hashed(default: Any) -> Any:
    """A field that does not change the numbers."""
    return field(default=default, metadata={"how": True})


def at_least(least: float, default: Any) -> Any:
    """A number that `Recipe.from_dict` refuses below ``least``."""
    return field(default=default, metadata={"least": least})


def later(default: Any, least: float | None = None) -> Any:
    """A field that came after records were published: at its default it is not hashed.

    So the identity of what was run before stays what it was. ``least`` as in `at_least`.
    """
    return field(default=default, metadata={"least": least, "later": True})


def marked_part(node: Any, *, marked_how: bool) -> dict[str, Any]:
    """The fields of a dataclass tree whose ``how`` mark is as asked, nested."""
    part: dict[str, Any] = {}
    for item in dataclasses.fields(node):
        value = getattr(node, item.name)
        if item.name in ("how", "evaluation"):
            continue
        if item.metadata.get("later") and value == item.default:
            continue
        if dataclasses.is_dataclass(value):
            nested = marked_part(value, marked_how=marked_how)
            if nested:
                part[item.name] = nested
        elif item.metadata.get("how", False) == marked_how:
            part[item.name] = plain(value)
    return part


def plain(value: Any) -> Any:
    """Tuples as lists, all the way down: what YAML and JSON can say."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def build(cls: type, raw: Any, source: str, parts: Mapping[str, type], prefix: str = "") -> Any:
    """Turn a mapping into the dataclass ``cls``; its keys named in ``parts`` are dataclasses themselves.

    ``UserError`` names ``source`` and the key: one that is unknown, of another type or too small.
    """
    if not isinstance(raw, dict):
        raise UserError(f"{source}: {prefix.rstrip('.') or 'the recipe'} must be a mapping, not {raw!r}")
    fields = {item.name: item for item in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in fields:
            raise UserError(f"{source}: unknown key {prefix + str(key)!r}{suggest(str(key), fields)}")
        if key in parts:
            values[key] = build(parts[key], value, source, {}, f"{prefix}{key}.")
        else:
            values[key] = _checked(value, fields[key], source, prefix + key)
            least = fields[key].metadata.get("least")
            # Asked this way round, NaN is refused too.
            if least is not None and not values[key] >= least:
                raise UserError(f"{source}: {prefix}{key} is {values[key]}: must be {least} or more")
    return cls(**values)


def _checked(value: Any, item: dataclasses.Field, source: str, key: str) -> Any:
    """The value in its field's type; YAML reads ``1e-3`` as text and ``1`` as an int."""
    wanted = str(item.type)
    try:
        if wanted == "float" and not isinstance(value, bool):
            return float(value)
        if wanted == "int" and not isinstance(value, bool) and int(value) == float(value):
            return int(value)
        if wanted == "str" and isinstance(value, str):
            return value
        if wanted == "bool" and isinstance(value, bool):
            return value
        if wanted.startswith("tuple") and isinstance(value, list | tuple):
            return tuple(float(number) for number in value)
        if wanted.startswith("list") and isinstance(value, str | list | tuple):
            members = [value] if isinstance(value, str) else value
            return [int(member) if wanted == "list[int]" else str(member) for member in members]
        if wanted.startswith("dict") and isinstance(value, dict):
            return dict(value)
    except (TypeError, ValueError):
        pass
    raise UserError(f"{source}: {key} must be {wanted}, not {value!r}")
