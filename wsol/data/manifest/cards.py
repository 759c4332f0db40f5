"""Cards: what a data set is, who made it, under which licence, and how much of it there should be.

A card is ``datasets/<name>/card.toml`` at the top of the repository; the wheel carries the cards as
``wsol/cards/<name>/card.toml``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsol.errors import UserError

COUNTED = ("images", "boxes", "masks")  # by split
_PACKAGE = Path(__file__).resolve().parents[2]  # the folder of the package wsol


def cards_folder(package: Path = _PACKAGE) -> Path:
    """Where the cards lie: in the installed package, else beside it, in a checkout.

    The package comes first: beside an installed one, ``datasets`` is Hugging Face's package.
    """
    installed = package / "cards"
    return installed if installed.is_dir() else package.parent / "datasets"


@dataclass(frozen=True)
class Card:
    """A data set's card.

    Attributes:
        title, version: as its makers call it and number it.
        page, licence, citation: where it comes from, what one may do with it, whom to cite.
        splits: what each split is, in words.
        expected: ``classes``, and by split ``images``, ``boxes``, ``masks`` of the complete set.
        about: what it is for, in sentences, where its title does not say it.
    """

    title: str
    version: str
    page: str
    licence: str
    citation: str
    splits: dict[str, str] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)
    about: str = ""


def read_card(name: str) -> Card | None:
    """The card of one of wsol's own data sets; None for any other name."""
    path = cards_folder() / name / "card.toml"
    return read_card_file(path) if path.is_file() else None


def read_card_file(path: Path) -> Card:
    """The card in the file ``path``; ``UserError`` where it is missing, no TOML, or lacks an entry."""
    try:
        card = Card(**tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except FileNotFoundError:
        raise UserError(f"{path}: no such card") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a TOML file ({error})") from error
    except TypeError as error:
        entries = ", ".join(Card.__dataclass_fields__)
        raise UserError(f"{path}: not a card, whose entries are {entries} ({error})") from error
    if wrong := _wrong_entries(card):
        raise UserError(f"{path}: {wrong[0]} is not of the kind that it is in other cards")
    return card


def subset(expected: dict[str, Any], found: dict[str, Any], *, fold: bool) -> str:
    """How ``found`` differs from the complete set, in words; empty where it does not.

    With ``fold`` val was taken from train, so the two are counted together.
    """
    parts = _difference("classes", found["classes"], expected.get("classes"))
    for what in COUNTED:
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


def _wrong_entries(card: Card) -> list[str]:
    """Entries whose value is not of the kind that `Card` says."""
    texts = ("title", "version", "page", "licence", "citation", "about")
    wrong = [name for name in texts if not isinstance(getattr(card, name), str)]
    wrong += [name for name in ("splits", "expected") if not isinstance(getattr(card, name), dict)]
    if wrong:
        return wrong
    return [f"expected.{name}" for name, count in card.expected.items() if not _is_count(name, count)]


def _is_count(name: str, value: Any) -> bool:
    if name == "classes":
        return type(value) is int
    whole = isinstance(value, dict) and all(type(count) is int for count in value.values())
    return name in COUNTED and whole
