"""How the fields of a recipe are marked, and which of them a run's identity is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

Share = Literal["what", "how", "scoring"]


def setting(
    default: Any,
    share: Share = "what",
    *,
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """A field of a recipe.

    Args:
        default: what it is where nothing is said.
        share: ``what`` changes the numbers and is hashed into the identity of what was trained; ``how``
            does not change them and is not; ``scoring`` changes them, but a record says it elsewhere.
        least, most: a number below or above is refused; of a list or a mapping, one that it holds.
    """
    return field(default=default, metadata={"share": share, "least": least, "most": most})


def not_hashed(default: Any) -> Any:
    """A field that does not change the numbers."""
    return setting(default, "how")


def of_scoring(default: Any) -> Any:
    """A field that says how a run is scored: one run may be scored in many ways."""
    return setting(default, "scoring")


def at_least(least: float, default: Any) -> Any:
    """A number that is refused below ``least``; NaN is refused everywhere."""
    return setting(default, least=least)


def between(least: float, most: float, default: Any) -> Any:
    """A number that is refused below ``least`` and above ``most``."""
    return setting(default, least=least, most=most)


def later(default: Any, least: float | None = None, most: float | None = None) -> Any:
    """A field that came after records were published: at its default it is not hashed.

    So the identity of what was run before stays what it was. Every new field that changes the numbers
    has to be one.
    """
    bounds = {"least": least, "most": most}
    return field(default=default, metadata={"share": "what", **bounds, "later": True})


def marked_part(node: Any, share: Share) -> dict[str, Any]:
    """The fields of a dataclass tree that have this share, nested; empty dataclasses are left out."""
    part: dict[str, Any] = {}
    for item in dataclasses.fields(node):
        value = getattr(node, item.name)
        own = item.metadata.get("share", "what")
        if item.metadata.get("later") and value == item.default:
            continue
        if dataclasses.is_dataclass(value) and own == "what":
            if nested := marked_part(value, share):
                part[item.name] = nested
        elif own == share:
            part[item.name] = plain(value)
    return part


def plain(value: Any) -> Any:
    """Dataclasses and mappings as dictionaries, tuples as lists: what YAML and JSON can say."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
