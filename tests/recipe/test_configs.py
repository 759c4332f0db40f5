"""The committed recipes: they build, they can be compared, and they do what their source does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from wsol.methods.build import build_method
from wsol.models.factory import build_localizer
from wsol.pipeline.inputs import resolved
from wsol.recipe import Recipe
from wsol.training.optimizer import rate_factor

TOP = Path(__file__).parents[2] / "configs"
NAMES = sorted(path.relative_to(TOP).as_posix() for path in TOP.glob("*/*.yaml"))
CLASSES = {"cub": 200, "imagenet": 1000, "openimages": 100, "object_discovery": 3}
# Trained from nothing, all parts together.
EMBEDDED = ("clutter/", "digits/", "methods/", "systems/", "tokens/")


def recipe(name: str) -> Recipe:
    return Recipe.from_yaml(TOP / name)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith((*EMBEDDED, "cub40"))])
def test_it_builds(name):
    own = recipe(name)
    with torch.device("meta"):
        method = build_method(own, build_localizer(own, CLASSES[own.data.name], load_weights=False))
    assert method.trained().head is not None


def test_the_references_table_has_a_recipe_a_cell():
    """Six methods on three networks and three data sets; rows of one network and set train alike."""
    for folder in ("cub", "imagenet", "openimages"):
        for network in ("vgg16", "resnet50", "inception_v3"):
            rows = [
                recipe(f"{folder}/{network}_{name}.yaml")
                for name in ("cam", "has", "cutmix", "acol", "spg", "adl")
            ]
            methods = {(row.method.name, row.attention.name) for row in rows}
            assert len(methods) == 6
            assert len({str(setting(row) | {"method": ""}) for row in rows}) == 1


@pytest.mark.parametrize("rows", ["methods/{}.yaml", "cub40_methods/mobilenetv2_{}.yaml"])
def test_the_references_methods_differ_from_cam_by_the_method_alone(rows):
    cam = recipe("digits/cam.yaml" if rows.startswith("methods") else "cub40/mobilenetv2_cam.yaml")
    for name in ("has", "cutmix", "acol", "spg"):
        own = recipe(rows.format(name))
        assert own.method.name == name
        assert setting(own) | {"method": ""} == setting(cam) | {"method": ""}
        built = build_localizer(own, 7, load_weights=False)
        assert build_method(own, built).trained().head is not None


def test_inception_and_openimages_have_recipes():
    assert {"cub/inception_v3_cam.yaml", "imagenet/inception_v3_cam.yaml"} <= set(NAMES)
    found = {recipe(name).backbone.name for name in NAMES if name.startswith("openimages/")}
    assert found == {"vgg16", "resnet50", "inception_v3"}


def setting(own: Recipe) -> dict[str, Any]:
    """All that a row shares with the row it is compared with: not its attention, nor the head it is."""
    what = own.what()
    del what["attention"], what["head"], what["training"]["attention_lr"]
    what["evaluation"] = {}
    return what


@pytest.mark.parametrize("name", [name for name in NAMES if recipe(name).attention.name != "none"])
def test_a_cam_row_stands_beside_it_at_its_own_setting(name):
    own = recipe(name)
    if name == "clutter/ltpa.yaml":
        assert own.training.epochs == 22  # its page and its comment say so: see docs/results.md
        own = own.changed(training={"epochs": 15})
    folder = TOP / name.partition("/")[0]
    paths = sorted(folder.glob("*.yaml"))
    if folder.name == "systems":  # most are of the network of digits, each with a method of its own
        paths = [TOP / "digits" / "cam.yaml", TOP / "systems" / "hourglass_stem.yaml"]
        own = own.changed(method={"name": "cam", "options": {}})
    beside = [
        path
        for path in paths
        if recipe(path.relative_to(TOP).as_posix()).attention.name == "none"
        and setting(Recipe.from_yaml(path)) == setting(own)
    ]
    assert len(beside) == 1


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        *((name, "resnet50-0676ba61") for name in NAMES if "resnet50" in name),
        *((name, "vgg16-397923af") for name in NAMES if "vgg16" in name),
        *((name, "inception_v3_google-0cc3c7bd") for name in NAMES if "inception" in name),
    ],
)
def test_it_starts_from_the_weights_that_its_source_loads(name, tag):
    assert resolved(recipe(name)).weights.tag == f"IMAGENET1K_V1/{tag}"


def reference_factors(epochs: int, frequency: int) -> list[float]:
    """wsolevaluation's rates, epoch by epoch: it counts from 1, and decays before each `f`-th."""
    factors, factor = [], 1.0
    for epoch in range(1, epochs + 1):
        if epoch % frequency == 0:
            factor *= 0.1
        factors.append(factor)
    return factors


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in NAMES
        if recipe(name).training.schedule == "step" and recipe(name).training.nesterov
    ],
)
def test_it_decays_where_the_reference_does(name):
    training = recipe(name).training
    frequency = {"cub": 15, "object_discovery": 30}.get(name.partition("/")[0], 3)
    ours = [rate_factor(training, epoch) for epoch in range(training.epochs)]
    assert ours == pytest.approx(reference_factors(training.epochs, frequency))


@pytest.mark.parametrize("name", [name for name in NAMES if "28x28" in name or "resnet50_rfga" in name])
def test_rfga_decays_where_its_authors_do(name):
    """Torch's MultiStepLR at 5, 10 and 15, stepped after each epoch as in the MoANA code."""
    training = recipe(name).training
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [5, 10, 15], gamma=0.1)
    theirs = []
    for _ in range(training.epochs):
        theirs.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert [rate_factor(training, epoch) for epoch in range(training.epochs)] == pytest.approx(theirs)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in NAMES
        if recipe(name).attention.name in ("tdam", "ltpa") and not name.startswith(EMBEDDED)
    ],
)
def test_a_row_that_is_not_trained_like_its_paper_says_so(name):
    assert recipe(name).pretraining.endswith("attention not pretrained, unlike the paper's")
