"""Small folders of images, and tables beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from wsol.data.manifest.manifest import Manifest


def _picture(path: Path, width: int = 20, height: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (90, 120, 150)).save(path)
    return path


def _table(path: Path, *rows: str, columns: str = "image,label,x0,y0,x1,y1") -> Path:
    path.write_text("\n".join([columns, *rows]), encoding="utf-8")
    return path


def _labels(manifest: Manifest, split: str) -> dict[str, str]:
    part = manifest.split(split)
    names = [manifest.classes[label] if label >= 0 else "" for label in part.labels]
    return dict(zip(part.image_ids, names, strict=True))


@pytest.fixture
def picture() -> Callable[..., Path]:
    """Write a picture of one colour."""
    return _picture


@pytest.fixture
def table() -> Callable[..., Path]:
    """Write a CSV table: its rows, and its columns."""
    return _table


@pytest.fixture
def labels() -> Callable[[Manifest, str], dict[str, str]]:
    """The class of each image of a split, by id; empty where it has none."""
    return _labels
