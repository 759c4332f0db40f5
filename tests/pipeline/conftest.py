"""A tiny clutter and a tiny recipe on it: seconds, not accuracy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsol.data.layouts.clutter import LAYOUT
from wsol.data.prepare import prepare
from wsol.recipe import Recipe

CAM = Path(__file__).parents[2] / "configs" / "clutter" / "cam.yaml"


@pytest.fixture(scope="session")
def clutter_cam() -> Recipe:
    """CAM on clutter, as it is committed."""
    return Recipe.from_yaml(CAM)


@pytest.fixture(scope="session")
def tiny_manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clutter") / "manifest"
    options = LAYOUT.options()
    options.size, options.train, options.val, options.test = 32, 24, 10, 11
    prepare("clutter", None, folder, options=options)
    return folder


@pytest.fixture(scope="session")
def squares_manifest(tmp_path_factory):
    """Two folders of seven noise pictures in the layout of Object Discovery, a 16 x 16 square each."""
    release = tmp_path_factory.mktemp("squares")
    rng = np.random.default_rng(0)
    for name in ("Car100", "Horse100"):
        folder = release / "Data" / name
        (folder / "GroundTruth").mkdir(parents=True)
        for number in range(7):
            mask = np.zeros((40, 32), np.uint8)
            mask[8:24, 4 + number : 20 + number] = 255
            Image.fromarray(rng.integers(0, 256, (40, 32, 3), np.uint8)).save(folder / f"{number}.jpg")
            Image.fromarray(mask).save(folder / f"GroundTruth/{number}.png")
    prepare("object_discovery", release, release / "manifest")
    return release / "manifest"


@pytest.fixture
def tiny_recipe(clutter_cam, tiny_manifest, tmp_path):
    return clutter_cam.changed(
        data={"manifest": tiny_manifest.as_posix(), "input_size": 32, "resize_size": 32},
        training={"epochs": 2, "batch_size": 8, "precision": "32-true"},
        evaluation={"batch_size": 8},
        how={
            "device": "cpu",
            "workers": 0,
            "runs": (tmp_path / "runs").as_posix(),
            "results": (tmp_path / "results").as_posix(),
        },
    )


@pytest.fixture
def cross_fit(tiny_recipe, squares_manifest):
    """A recipe that cross-fits the squares in three folds."""
    return tiny_recipe.changed(
        data={"manifest": squares_manifest.as_posix(), "flip": True},
        training={"folds": 3, "epochs": 1},
        evaluation={"protocol": "rubinstein2013", "maps": ["cam"], "masks": True, "step": 0.01},
    )


@pytest.fixture
def files_of() -> Callable[[Path], dict[str, bytes]]:
    """Everything under a folder but what may be deleted at any time: places and bytes."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and ".cache" not in path.parts
        }

    return read
