"""Every registered source of maps, one by one, and one from outside the repository."""

import sys
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from wsol.cli.list import main
from wsol.errors import UserError
from wsol.maps import MAPS, map_source, of_predicted_class
from wsol.maps.contract import ImageMaps, MapSource, ModelMaps
from wsol.maps.model_sources import passes
from wsol.maps.reading import MapReader
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

ARGUMENTS = {"cam@t": "cam@t=1", "torchcam": "torchcam:GradCAM"}
SOURCES = [ARGUMENTS.get(name, name) for name in MAPS if name != "files"]


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_keeps_its_name_and_says_what_it_is(name):
    source = map_source(name)
    assert isinstance(source, ModelMaps | ImageMaps) and source.name == name
    first_line = type(source).__doc__.partition("\n")[0]
    assert len(first_line) > 20 and first_line.endswith(".")


@pytest.mark.parametrize("name", [name for name in SOURCES if isinstance(map_source(name), ImageMaps)])
def test_maps_without_a_model_are_maps_or_masks(name, tmp_path):
    Image.new("RGB", (16, 16)).save(tmp_path / "black.png")
    found = map_source(name).read(str(tmp_path / "black.png"), 16)
    assert found.ndim == 2
    assert found.dtype == bool or np.isfinite(found).all()


def test_all_and_none_of_the_image():
    assert map_source("foreground").read("", 8).all()
    assert not map_source("background").read("", 8).any()


def test_the_predicted_class_is_a_way_to_read_any_source_of_a_class():
    assert of_predicted_class("cam") == "cam@predicted"
    assert of_predicted_class("torchcam:GradCAM") == "torchcam:GradCAM@predicted"
    assert of_predicted_class("features") == "features"
    assert map_source("torchcam:GradCAM@predicted").name == "torchcam:GradCAM@predicted"
    assert map_source("cam").of_class == "true"  # no other source is changed by that


def test_a_source_from_outside_the_repository_is_read_beside_our_own(tmp_path, monkeypatch):
    (tmp_path / "my_maps.py").write_text(
        textwrap.dedent(
            """
            from wsol.maps.contract import ModelMaps


            class Largest(ModelMaps):
                \"\"\"The largest channel of the last features at every place.\"\"\"

                def read(self, output, columns):
                    return output.features.amax(dim=1)


            class NoSource:
                \"\"\"No source of maps.\"\"\"
            """
        )
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert passes(["cam", "my_maps:Largest"]) == [["cam", "my_maps:Largest"]]
    torch.manual_seed(0)
    recipe = Recipe.from_dict({"backbone": {"name": "small_resnet"}, "data": {"input_size": 32}})
    localizer = build_localizer(recipe, 3, ["a", "b", "c"]).eval()
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    batch = SimpleNamespace(images=images, labels=torch.tensor([0, 1]), image_ids=["x", "y"], real=2)
    found = {
        prediction.image_id: prediction.score_map
        for source, prediction in MapReader(localizer, ["a", "b", "c"]).pairs(
            [batch], ["cam", "my_maps:Largest"]
        )
        if source == "my_maps:Largest"
    }
    with torch.no_grad():
        features = localizer(images).features.numpy()
    for index, image_id in enumerate(("x", "y")):
        np.testing.assert_allclose(found[image_id], features[index].max(axis=0), atol=1e-6)
    with pytest.raises(UserError, match=r"'my_maps:NoSource' is NoSource: expected a subclass of"):
        map_source("my_maps:NoSource")
    with pytest.raises(UserError, match=r"my_maps has no 'Large': did you mean 'Largest'"):
        map_source("my_maps:Large")
    del sys.modules["my_maps"]


def test_every_source_is_one_class():
    assert all(issubclass(MAPS.get(name), MapSource) for name in MAPS if name != "files")


def test_modifiers_are_listed_with_the_sources(capsys):
    assert main(["maps"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, purpose in (("SOURCE+flip", "mirrored"), ("SOURCE+scales", "as in cam+scales:0.75,1,1.5")):
        assert [purpose in line for line in lines if line.split()[:1] == [name]] == [True]
