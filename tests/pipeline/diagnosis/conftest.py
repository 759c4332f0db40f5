"""Small manifests of digits, each drawn once a session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from wsol.data.layouts.digits import LAYOUT
from wsol.data.manifest.manifest import Manifest
from wsol.data.prepare import prepare


@pytest.fixture(scope="session")
def digits_manifest(tmp_path_factory) -> Callable[..., Manifest]:
    """``digits_manifest("parts", images=140, share=0.25)``; 7 images of train and val each."""

    @cache
    def drawn(test: str, images: int = 140, train: int = 7, **options) -> Manifest:
        folder = tmp_path_factory.mktemp("digits") / "manifest"
        sizes = {"train": train, "val": 7, "images": images}
        prepare("digits", None, folder, options=LAYOUT.options(test=test, **sizes, **options))
        return Manifest.read(folder)

    return drawn
