"""A tiny clutter and a tiny recipe on it: seconds, not accuracy."""

import dataclasses

import pytest

from wsol.benchmark.demo import demo_recipes
from wsol.data.clutter import READER
from wsol.data.prepare import prepare


@pytest.fixture(scope="session")
def tiny_manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clutter") / "manifest"
    options = READER.options()
    options.size, options.train, options.val, options.test = 32, 24, 10, 11
    prepare("clutter", None, folder, options=options)
    return folder


@pytest.fixture
def tiny_recipe(tiny_manifest, tmp_path):
    recipe = demo_recipes()["cam"]
    recipe.data.manifest = tiny_manifest.as_posix()
    recipe.data.input_size = recipe.data.resize_size = 32
    recipe.training = dataclasses.replace(recipe.training, epochs=2, batch_size=8, precision="32-true")
    recipe.evaluation.batch_size = 8
    recipe.how = dataclasses.replace(
        recipe.how,
        device="cpu",
        workers=0,
        runs=(tmp_path / "runs").as_posix(),
        results=(tmp_path / "results").as_posix(),
    )
    return recipe
