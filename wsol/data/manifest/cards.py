"""Cards: what a data set is, who made it, under which licence, and how much of it there should be.

A card is ``datasets/<name>/card.toml`` at the top of the repository.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import wsol

FOLDER = Path(wsol.__file__).resolve().parent.parent / "datasets"


@dataclass(frozen=True)
class Card:
    """A data set's card.

    Attributes:
        title, version: as its makers call it and number it.
        page, licence, citation: where it comes from, what one may do with it, whom to cite.
        splits: what each split is, in words.
        expected: ``classes``, and by split ``images``, ``boxes``, ``masks`` of the complete set.
    """

    title: str
    version: str
    page: str
    licence: str
    citation: str
    splits: dict[str, str] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)


def read_card(name: str) -> Card | None:
    """The card of a data set; None for one without, and where wsol was installed without the cards."""
    path = FOLDER / name / "card.toml"
    if not path.is_file():
        return None
    return Card(**tomllib.loads(path.read_text(encoding="utf-8")))


def subset(expected: dict[str, Any], found: dict[str, Any], *, fold: bool) -> str:
    """How ``found`` differs from the complete set, in words; empty where it does not.

    With ``fold`` val was taken from train, so the two are counted together.
    """
    parts = _difference("classes", found["classes"], expected.get("classes"))
    for what in ("images", "boxes", "masks"):
        counts = dict(found[what])
        if fold and what == "images":
            counts["train"] = counts.get("train", 0) + counts.pop("val", 0)
        for split, count in expected.get(what, {}).items():
            parts += _difference(f"{split} {what}", counts.get(split, 0), count)
    return ", ".join(parts)


def _difference(what: str, found: int, expected: int | None) -> list[str]:
    if expected is None or found == expected:
        return []
    return [f"{found} of {expected} {what}"]
