"""In what the rows of one table are unlike: size, budget, stride, data, machine.

Baselines without a network have none of these.
"""

from __future__ import annotations

import string
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from wsol.board.rows.rows import Row
from wsol.board.rows.settings import in_order, key_name, spelled

# How a value is told where "key value" does not do.
PHRASES = {
    "data.input_size": "input {}",
    "training.epochs": "{} epochs",
    "training.batch_size": "batch size {}",
    "training.weight_decay": "weight decay {}",
    "training.images_per_class": "{} training images a class",
    "map_size": "maps {}",
    "val_fold": "val fold ({})",
    "subset": "subset ({})",
    "n_images": "{} images scored",
    "device": "trained on {}",
    "threads": "{} threads",
    "processes": "{} processes",
}
ONE = {"{} epochs": "{} epoch", "{} threads": "{} thread", "{} processes": "{} process"}

# What is told of the common setting, where nothing differs, too.
TOLD = (
    *("data.input_size", "map_size", "training.epochs", "training.batch_size", "training.optimizer"),
    *("training.lr", "training.weight_decay"),
)

UNTRAINED = "not trained"

# What comes with a network is compared with the rows of that network, all else with the whole table.
OF_NETWORK = {"backbone": ("backbone",), "head": ("backbone",), "weights": ("backbone", "weights")}


class Unlike(NamedTuple):
    """The ``mark`` of a row (a letter) and what it means: ``22 epochs where the others have 15``."""

    mark: str
    text: str


class _Difference(NamedTuple):
    """A row's condition as it is told, the common value, and whether all others have that one."""

    mine: str
    common: str
    others_agree: bool


Key = tuple[str, ...]


def unlike(rows: Sequence[Row]) -> dict[Key, Unlike]:
    """By row key, in what rows of one table are unlike its most common conditions.

    Rows that are like them are absent. Each condition is compared by itself, and a network counts once,
    however many of its maps are scored. Of values that are equally common that of the CAM row stands
    for the common one. What a row's variant spells out is not said again. Marks follow the order of
    ``rows``.
    """
    trained = [row for row in rows if row["backbone"]]
    found: dict[Key, list[_Difference]] = defaultdict(list)
    for name in in_order({name for row in trained for name in row.conditions}):
        for peers in _peers(trained, name):
            told = {row.key: row.conditions[name] for row in peers if name in row.conditions}
            for key, difference in _differences(name, peers, told):
                found[key].append(difference)
    texts = {row.key: _sentence(found[row.key]) for row in trained if row.key in found}
    marks = {text: _mark(place) for place, text in enumerate(dict.fromkeys(texts.values()))}
    return {key: Unlike(marks[text], text) for key, text in texts.items()}


def common_setting(rows: Sequence[Row]) -> str:
    """What `unlike` compares with, in short: ``input 64, 15 epochs``; empty without networks."""
    trained = [row for row in rows if row["backbone"]]
    told = []
    for name in TOLD:
        there = [row for row in trained if name in row.conditions]
        if there:
            texts = spelled([row.conditions[name] for row in there])
            by_row = dict(zip((row.key for row in there), texts, strict=True))
            told.append(_phrase(name, _common(there, by_row)))
    # What training was like says nothing where most networks were not trained.
    return ", ".join(told[: told.index(UNTRAINED) + 1] if UNTRAINED in told else told)


def unlike_in_tables(rows: Iterable[Row]) -> dict[Key, str]:
    """The texts of `unlike` for rows of several tables."""
    tables: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        tables[row.place].append(row)
    return {key: said.text for members in tables.values() for key, said in unlike(members).items()}


def _peers(rows: Sequence[Row], name: str) -> Iterable[list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[column] for column in OF_NETWORK.get(name.partition(".")[0], ()))].append(row)
    return groups.values()


def _differences(
    name: str, peers: Sequence[Row], told: Mapping[Key, Any]
) -> Iterator[tuple[Key, _Difference]]:
    texts = dict(zip(told, spelled(list(told.values())), strict=True))
    different = set(texts.values())
    if len(different) < 2:
        return
    rows = [row for row in peers if row.key in texts]
    common = _common(rows, texts)
    for row in rows:
        text = texts[row.key]
        spelled_out = any(key == name or key.startswith(f"{name}.") for key in row.named)
        if text != common and not spelled_out:
            yield row.key, _Difference(*_told(name, text, common), different <= {text, common})


def _common(rows: Sequence[Row], texts: Mapping[Key, str]) -> str:
    """The value of most networks; among equals the CAM row's."""
    networks = {(_network(row), texts[row.key]) for row in rows}
    counts = Counter(text for _, text in networks)
    most = max(counts.values())
    equals = [row for row in sorted(rows, key=lambda row: row.key) if counts[texts[row.key]] == most]
    plain = [
        row for row in equals if (row["attention"], row["method"], row["maps"]) == ("none", "cam", "cam")
    ]
    return texts[(plain or equals)[0].key]


def _network(row: Row) -> tuple[str, ...]:
    return tuple(
        row[column] for column in ("backbone", "weights", "attention", "method", "selection", "variant")
    )


def _told(name: str, mine: str, common: str) -> tuple[str, str]:
    """What the row has and what is common: ``22 epochs`` and ``15``."""
    if name == "training.epochs" and mine == "0":
        return UNTRAINED, _phrase(name, common)
    if name == "training.epochs" and common == "0":
        common = "none"
    return _phrase(name, mine), common


def _phrase(name: str, text: str) -> str:
    if name == "training.epochs" and text == "0":
        return UNTRAINED
    phrase = PHRASES.get(name) or f"{key_name(name)} {{}}"
    return ONE.get(phrase, phrase).format(text) if text == "1" else phrase.format(text)


def _sentence(differences: Sequence[_Difference]) -> str:
    agreed = all(one.others_agree for one in differences)
    mine = _listed([one.mine for one in differences])
    common = _listed([one.common for one in differences])
    return f"{mine} where {'the others have' if agreed else 'the common setting is'} {common}"


def _listed(texts: Sequence[str]) -> str:
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _mark(place: int) -> str:
    """a, b, ... z, aa, ab, ..."""
    before, letter = divmod(place, len(string.ascii_lowercase))
    return (_mark(before - 1) if before else "") + string.ascii_lowercase[letter]
