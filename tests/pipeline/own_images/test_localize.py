"""Boxes, masks and pictures of new images, from a trained run."""

import shutil

import numpy as np
import pytest

from wsol.data.manifest.manifest import Manifest
from wsol.errors import UserError
from wsol.pipeline.own_images.localize import localize
from wsol.pipeline.train import train


def test_localize_writes_a_box_a_mask_and_a_picture_an_image(tiny_recipe, tmp_path, capsys):
    run = train(tiny_recipe)
    # A file beside folders called by splits is an image as any other here.
    images = tmp_path / "images"
    shutil.copytree(Manifest.read(tiny_recipe.data.manifest).root / "images" / "test", images / "test")
    next((images / "test").iterdir()).rename(images / "stray.png")
    table = localize(images, run, tmp_path / "found", threshold=0.5)
    rows = table.read_text().splitlines()
    assert rows[0] == "image_id,class,x0,y0,x1,y1,probability,threshold"
    assert len(rows) == 1 + 11
    for folder in ("masks", "overlays"):
        assert len(list((tmp_path / "found" / folder).rglob("*.png"))) == 11
    corners = np.array([[float(value) for value in row.split(",")[2:6]] for row in rows[1:]])
    assert (corners[:, :2] < corners[:, 2:]).all()
    assert corners.min() >= 0
    assert corners.max() <= 32
    assert "earlier" not in capsys.readouterr().err
    localize(images / "test", run, tmp_path / "found", threshold=0.5)
    (note,) = [line for line in capsys.readouterr().err.splitlines() if "earlier call" in line]
    assert "also hold 11 images of an earlier call, e.g. " in note
    localize(images / "test", run, tmp_path / "found", threshold=0.5)
    assert "earlier" not in capsys.readouterr().err


def test_localize_leaves_nothing_of_images_one_of_which_is_broken(tiny_recipe, tmp_path):
    tiny_recipe = tiny_recipe.changed(evaluation={"batch_size": 2})
    run = train(tiny_recipe)
    images = tmp_path / "images"
    shutil.copytree(Manifest.read(tiny_recipe.data.manifest).root / "images" / "test", images)
    whole = next(images.rglob("*.png")).read_bytes()
    # Neither its header nor its end tells, only decoding does.
    (images / "zzz.png").write_bytes(whole[:100] + bytes(100) + whole[200:])
    with pytest.raises(UserError, match="zzz"):
        localize(images, run, tmp_path / "found", threshold=0.5)
    assert not list((tmp_path / "found").rglob("*"))


def test_localize_shows_the_predicted_class_by_any_source(tiny_recipe, tmp_path):
    run = train(tiny_recipe)
    images = Manifest.read(tiny_recipe.data.manifest).root / "images" / "test"
    tables = [
        localize(images, run, tmp_path / maps, maps=maps).read_text()
        for maps in ("cam@predicted", "cam")
    ]
    assert tables[0] == tables[1]
    gradients = localize(images, run, tmp_path / "grad", maps="torchcam:GradCAM")
    assert [row.split(",")[1] for row in gradients.read_text().splitlines()] == [
        row.split(",")[1] for row in tables[0].splitlines()
    ]
