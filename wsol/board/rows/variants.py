"""What tells rows apart whose columns agree: ``lr 0.01``, and nothing that they have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wsol.board.rows.settings import NOT_SAID, in_order, key_name, spelled

# So many differing keys are named, and more only where fewer would leave two rows alike.
NAMED = 3


class Variant(NamedTuple):
    """The text of the column ``variant``, and the dotted keys that it spells out."""

    text: str = ""
    keys: tuple[str, ...] = ()


def variants(settings: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Variant]:
    """One variant for each of the recipes that share all other columns.

    The same recipes in another order get the same variants. Two of them are equal only where the
    settings are.

    Args:
        settings: of each recipe, by dotted key (`settings_of`).
        names: its makers' own, which is the variant; empty where there is none. Recipes of one name
            get what tells them apart after it.
    """
    found = [Variant(name) for name in names]
    if len(settings) > 1:
        for name in set(names):
            # Recipes without a name are told apart from all, those of one name from each other.
            members = [place for place, own in enumerate(names) if name in ("", own)]
            if len(members) > 1:
                told = _differences([settings[place] for place in members])
                for place, variant in zip(members, told, strict=True):
                    if names[place] == name:
                        found[place] = _after(name, variant)
    return _apart(found, settings)


def _apart(found: list[Variant], settings: Sequence[Mapping[str, Any]]) -> list[Variant]:
    """A name may read like another recipe's differences: then it gets its own differences, too."""
    texts = [variant.text for variant in found]
    if len(set(texts)) == len(texts):
        return found
    told = _differences(settings)
    return [
        _after(one.text, other) if texts.count(one.text) > 1 and not one.keys else one
        for one, other in zip(found, told, strict=True)
    ]


def _after(name: str, variant: Variant) -> Variant:
    return Variant(", ".join(text for text in (name, variant.text) if text), variant.keys)


def _differences(settings: Sequence[Mapping[str, Any]]) -> list[Variant]:
    """Each recipe's values of the keys in which they differ."""
    values: dict[str, list[str]] = {}
    for key in in_order({key for one in settings for key in one}):
        texts = spelled([one.get(key, NOT_SAID) for one in settings])
        if len(set(texts)) > 1:
            values[key] = texts
    named = _named(values)
    rest = len(values) - len(named)
    more = f" and {rest} more" if rest else ""
    return [
        Variant(", ".join(f"{key_name(key)} {values[key][place]}" for key in named) + more, tuple(named))
        for place in range(len(settings))
    ]


def _named(values: Mapping[str, Sequence[str]]) -> list[str]:
    """Keys that tell all recipes apart, and others that differ as far as there is room; in order."""
    needed: list[str] = []
    apart = 1
    for key in values:
        parts = len(set(zip(*(values[one] for one in [*needed, key]), strict=True)))
        if parts > apart:
            needed, apart = [*needed, key], parts
    others = [key for key in values if key not in needed]
    return in_order([*needed, *others[: max(0, NAMED - len(needed))]])
