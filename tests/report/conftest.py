"""Folders of results made by hand, and pages read back with Python's own HTML parser."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsol.recipe import Recipe
from wsol.report import Tile, save_gallery
from wsol.scores.per_image import PerImage
from wsol.scores.records import RunRecord

COUNT = 40
# Elements that HTML leaves open, and those that the pages close as XML does.
VOID = {"meta", "img", "wbr"}


@dataclass
class Element:
    """An element of a page: its tag, attributes and parts, which are elements or text."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    parts: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text in it, blanks made one."""
        whole = "".join(part if isinstance(part, str) else part.text for part in self.parts)
        return " ".join(whole.split())

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements inside of it by tag, and by whole attributes where given."""
        return [
            each
            for each in self._inside()
            if each.tag == tag and all(each.attributes.get(key) == attributes[key] for key in attributes)
        ]

    def _inside(self) -> Iterator[Element]:
        for part in self.parts:
            if isinstance(part, Element):
                yield part
                yield from part._inside()


class _Reader(HTMLParser):
    """Builds the tree and checks that every element is closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open = [Element("")]
        self.feed(text)
        self.close()
        assert len(self.open) == 1, f"never closed: {self.open[-1].tag}"

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(self.open[-1].parts[-1])  # pyright: ignore

    def handle_startendtag(self, tag, attrs):
        self.open[-1].parts.append(Element(tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        self.open[-1].parts.append(data)


@pytest.fixture
def parse() -> Callable[[str], Element]:
    """HTML text -> the tree of its elements."""
    return lambda text: _Reader(text).open[0]


def _arrays(quality: int) -> bytes:
    """Per-image arrays of boxes with IoU ``quality`` percent at every cut."""
    n = np.arange(COUNT)
    return PerImage(
        image_ids=np.array([f"image/{i}" for i in n]),
        labels=np.zeros(COUNT, np.int32),
        sizes=np.full((COUNT, 2), 64, np.int32),
        protocol=("choe2020", 1, 0.001),
        top1=np.ones(COUNT, np.int8),
        top5=np.ones(COUNT, np.int8),
        has_box=np.ones(COUNT, bool),
        top=np.full(COUNT, 255, np.uint8),
        single=np.full((COUNT, 256), quality * 500, np.uint16),
        all=np.full((COUNT, 256), quality, np.uint8),
    ).to_bytes()


def make_run(
    results: Path,
    name: str,
    quality: int,
    attention: str | None = "none",
    metrics: dict[str, Any] | None = None,
    **changes: Any,
) -> RunRecord:
    """A run whose boxes have IoU ``quality`` percent at every cut, with arrays and two overlays.

    ``attention`` None makes it the baseline ``name``; ``metrics`` are plain numbers or whole figures;
    ``changes`` are fields of the record.
    """
    recipe = Recipe.from_dict({"attention": {"name": attention or "none"}})
    maps = "cam" if attention else name
    if metrics is None:
        metrics = {f"max_box_acc@{d}": 100.0 * (quality >= 100 * d) for d in (0.3, 0.5, 0.7)}
    content = _arrays(quality)
    fields: dict[str, Any] = {
        "recipe": {"what": recipe.what() if attention else {"source": maps}, "how": recipe.how_part()},
        "dataset": {
            "name": "signs",
            "title": "Signs & <wonders>",
            "manifest_hash": "1",
            "split": "test",
        },
        "protocol": {"name": "choe2020", "version": 1, "step": 0.001},
        "maps": maps,
        "threshold": {"policy": "oracle", "chosen_on": "test", "values": {"max_box_acc@0.5": 0.25}},
        "metrics": {
            key: value if isinstance(value, dict) else {"value": value, "low": None, "high": None}
            for key, value in metrics.items()
        },
        "n_images": COUNT,
        "n_expected": COUNT,
        "arrays": {"file": f"{name}.npz", "sha256": hashlib.sha256(content).hexdigest()},
    }
    record = RunRecord(**{**fields, **changes})
    record.write(results / "runs" / f"{name}.json")
    (results / "runs" / f"{name}.npz").write_bytes(content)
    image = np.zeros((32, 32, 3), np.uint8)
    tiles = [Tile(f"image/{i}", image, None, None, np.zeros((0, 4)), quality / 100) for i in range(2)]
    save_gallery(results / "report", record.run_id, tiles)
    return record


@pytest.fixture
def add_run() -> Callable[..., RunRecord]:
    """Adds a run to a folder of results; see `make_run`."""
    return make_run


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The centred box and two trained rows: ``cam`` as bad as the box, ``rfga`` better."""
    folder = tmp_path / "results"
    make_run(folder, "center", 40, None)
    make_run(folder, "cam", 40)
    make_run(folder, "rfga", 60, "rfga")
    return folder


@pytest.fixture
def row_texts() -> Callable[[Element], Sequence[Sequence[str]]]:
    """A table's element -> the text of every cell, line by line, the head among them."""
    return lambda table: [
        [cell.text for cell in row.parts if isinstance(cell, Element)] for row in table.all("tr")
    ]
