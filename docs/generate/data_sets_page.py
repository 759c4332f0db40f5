"""The cards under datasets/ -> docs/data-sets.md."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markdown_table import table

from wsol.data.layouts import DATASETS

HEAD = """# Data sets

*This page is generated from the cards under `datasets/` by `python docs/generate`.*

`wsol prepare NAME --root PATH --output DIR` reads an official layout and writes a manifest: five small
files that say which images there are, where the objects are, and what is missing. All contradictions are
reported in one pass. Missing labels, boxes or images make a subset that says so; they are no errors.

```bash
wsol prepare cub --root CUB_200_2011 --output manifests/cub
wsol data check manifests/cub    # decodes every image
wsol data sheet manifests/cub    # draws a contact sheet
```

Images are not part of this suite. Each data set has its own terms, which are named below; cite its
authors where you use it. `custom` has no card: it is your own folder of images with COCO JSON, VOC XML,
CSV boxes or mask PNGs (see [Your own images](guides/own-images.md)). `digits` and `clutter` need no
download: scikit-learn and scikit-image ship what they are made of. [Digits](digits.md) shows the seven
tests of `digits` and has its datasheet; `clutter` is a smoke test, not a benchmark.

A data set without a train split, such as Object Discovery, is cross-fitted: `training.folds: 5` trains
five networks, and each image is scored by the one that has not seen it. Copies of a picture stay in one
fold.
"""


def data_sets_page(root: Path) -> str:
    """The whole page; the same cards give the same bytes."""
    names = [name for name in DATASETS.names() if (root / "datasets" / name / "card.toml").is_file()]
    cards = {name: tomllib.loads(_card(root, name).read_text("utf-8")) for name in names}
    overview = [[f"`{name}`", card["title"], _counts(card, "images")] for name, card in cards.items()]
    parts = [HEAD, table(["name", "data set", "images"], overview, left=3)]
    return "\n".join([*parts, *(_section(name, card) for name, card in cards.items())])


def _card(root: Path, name: str) -> Path:
    return root / "datasets" / name / "card.toml"


def _section(name: str, card: Mapping[str, Any]) -> str:
    expected = card.get("expected", {})
    lines = [
        f"## {card['title']}",
        "",
        f"`wsol prepare {name}`, version {card['version']}, <{card['page']}>",
        "",
    ]
    if about := card.get("about"):
        lines += [about.strip(), ""]
    lines += [f"- {split}: {words}." for split, words in card.get("splits", {}).items()]
    if expected:
        counts = [f"{expected['classes']:,} classes"]
        counts += [
            f"{what}: {_counts(card, what)}" for what in ("images", "boxes", "masks") if what in expected
        ]
        lines.append(f"- Complete: {'; '.join(counts)}.")
    lines += [f"- Terms: {card['licence']}.", "", "```bibtex", card["citation"].strip(), "```", ""]
    return "\n".join(lines)


def _counts(card: Mapping[str, Any], what: str) -> str:
    counts = card.get("expected", {}).get(what, {})
    return ", ".join(f"{count:,} {split}" for split, count in counts.items())
