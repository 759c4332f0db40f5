"""Modified sources against passes over mirrored and resized images that are made here."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wsol.data.loading.loader import Batch
from wsol.errors import UserError
from wsol.maps import is_foreign, listed, map_source, of_predicted_class
from wsol.maps.model_sources import model_maps, passes, resolve
from wsol.maps.reading import MapReader
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

KEYS = ["a", "b", "c"]
LABELS = [2, 0, 1]


def network(**changed):
    torch.manual_seed(3)
    backbone = {"name": "small_resnet", "options": {"widths": [4, 6, 8], "blocks": 1}}
    recipe = {"backbone": backbone, "data": {"input_size": 32}} | changed
    found = build_localizer(Recipe.from_dict(recipe), 3, KEYS).eval()
    with torch.no_grad():
        for name, parameter in found.head.named_parameters():
            if name == "classifier.weight":
                parameter.mul_(50)
            elif name == "classifier.bias":
                parameter.copy_(torch.tensor([0.3, -0.2, 0.5]))
    return found


@pytest.fixture
def model():
    return network()


@pytest.fixture
def batch():
    images = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    return Batch(images, torch.tensor(LABELS), ["x", "y", "z"], torch.arange(3), 3)


def maps(model, batch, source):
    found = list(MapReader(model, KEYS).predictions([batch], source))
    return np.stack([one.score_map for one in found])


def mirrored(batch):
    return batch._replace(images=torch.from_numpy(batch.images.numpy()[..., ::-1].copy()))


def resized(batch, side):
    images = F.interpolate(
        batch.images, (side, side), mode="bilinear", align_corners=False, antialias=True
    )
    return batch._replace(images=images)


def on_grid(maps, side):
    return F.interpolate(torch.from_numpy(maps)[:, None], (side, side), mode="bilinear")[:, 0].numpy()


@pytest.mark.parametrize(
    "source",
    ["cam", "features", "torchcam:GradCAM", "torchcam:ScoreCAM", "saliency", "attention:stage3"],
)
def test_flip_is_the_mean_of_two_readings_one_mirrored_back(batch, source):
    if source == "saliency":
        pytest.importorskip("captum", reason="captum is an extra: pip install wsol[captum]")
    model = network(attention={"name": "rfga"}) if source.startswith("attention") else network()
    source = resolve("attention", model) if source.startswith("attention") else source
    back = maps(model, mirrored(batch), source)[:, :, ::-1]
    plain = maps(model, batch, source)
    assert not np.allclose(plain, back, rtol=1e-2)
    found = maps(model, batch, f"{source}+flip")
    np.testing.assert_allclose(found, (plain + back) / 2, rtol=1e-4, atol=1e-6)
    # Symmetric: a mirrored image has the mirrored map.
    again = maps(model, mirrored(batch), f"{source}+flip")
    np.testing.assert_allclose(again[:, :, ::-1], found, rtol=1e-4, atol=1e-6)


def test_scales_are_the_mean_of_raw_maps_on_the_largest_grid(model, batch):
    found = maps(model, batch, "cam+scales:0.5,1,1.5")
    several = [maps(model, resized(batch, side), "cam") for side in (16, 32, 48)]
    side = several[-1].shape[-1]
    assert found.shape == (3, side, side) and several[0].shape[-1] < side
    wanted = sum(on_grid(one, side) for one in several) / 3
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_gradients_of_every_scale_count_alike(model, batch):
    # GradCAM of a linear head is the positive class map without bias, divided by the number of cells.
    found = maps(model, batch, "torchcam:GradCAM+scales:0.5,1")
    bias = model.head.classifier.bias[LABELS].detach().numpy()[:, None, None]
    several = [maps(model, resized(batch, side), "cam") for side in (16, 32)]
    side = several[1].shape[-1]
    positive = [on_grid(np.maximum(one - bias, 0), side) for one in several]
    assert min(one.max() for one in positive) > 0.1
    np.testing.assert_allclose(found * side**2, sum(positive) / 2, rtol=1e-3, atol=1e-5)


def test_cubes_of_gradients_too(model, batch):
    small = maps(model, resized(batch, 16), "torchcam:GradCAMpp")
    plain = maps(model, batch, "torchcam:GradCAMpp")
    side, ratio = plain.shape[-1], small[0].size / plain[0].size
    found = maps(model, batch, "torchcam:GradCAMpp+scales:0.5,1")
    wanted = (on_grid(small * ratio**2, side) + plain) / 2
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=plain.max() * 1e-5)


def test_what_sums_to_one_counts_alike_at_every_scale(batch):
    """Or the smallest scale, whose few cells share the 1, would decide."""
    model, source = network(attention={"name": "gc"}), "attention:stage2.0.softmax"
    small, plain = maps(model, resized(batch, 16), source), maps(model, batch, source)
    np.testing.assert_allclose([small.sum((1, 2)), plain.sum((1, 2))], 1, rtol=1e-4)
    side, ratio = plain.shape[-1], small[0].size / plain[0].size
    found = maps(model, batch, f"{source}+scales:0.5,1")
    wanted = (on_grid(small * ratio, side) + plain) / 2
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=plain.max() * 1e-5)


@pytest.mark.parametrize("source", ["cam", "torchcam:GradCAM"])
def test_the_plain_scale_alone_changes_nothing(model, batch, source):
    np.testing.assert_array_equal(maps(model, batch, f"{source}+scales:1"), maps(model, batch, source))


def test_modifiers_follow_one_another(model, batch):
    for source in ("cam", "torchcam:LayerCAM"):
        cells = {"cam": 0, "torchcam:LayerCAM": 1}[source]
        several = []
        for side in (16, 32):
            one = resized(batch, side) if side != 32 else batch
            own = maps(model, one, source)
            several.append((own + maps(model, mirrored(one), source)[:, :, ::-1]) / 2)
        side = several[1].shape[-1]
        ratio = several[0][0].size / several[1][0].size
        wanted = (on_grid(several[0], side) * ratio**cells + several[1]) / 2
        for name in (f"{source}+flip+scales:0.5,1", f"{source}+scales:0.5,1+flip"):
            np.testing.assert_allclose(maps(model, batch, name), wanted, rtol=1e-3, atol=1e-6)


def test_predictions_and_the_predicted_class_are_the_plain_images(model, batch):
    with torch.no_grad():
        logits = model(batch.images).logits
    best = logits.argmax(dim=1)
    source = "cam+flip+scales:0.75,1@predicted"
    found = list(MapReader(model, KEYS).predictions([batch], source))
    order = logits.argsort(dim=1, descending=True).tolist()
    assert [list(one.top5) for one in found] == order
    wanted = maps(model, batch._replace(labels=best), "cam+flip+scales:0.75,1")
    np.testing.assert_array_equal(np.stack([one.score_map for one in found]), wanted)
    unlabelled = batch._replace(labels=torch.full((3,), -1))
    np.testing.assert_array_equal(maps(model, unlabelled, source), wanted)


def test_names():
    name = "torchcam:GradCAM+flip+scales:0.75,1"
    assert map_source(name).name == name
    assert map_source("cam+scales:1.50,.75,1").name == "cam+scales:0.75,1,1.5"
    assert of_predicted_class("cam+flip") == "cam+flip@predicted"
    assert of_predicted_class("features+flip") == "features+flip"
    for typed in ("cam@predicted+flip+scales:1", "cam+flip@predicted+scales:1"):
        assert map_source(typed).name == "cam+flip+scales:1@predicted"
    assert listed("cam,cam+scales:0.75,1,1.5,features") == ["cam", "cam+scales:0.75,1,1.5", "features"]
    assert listed("cam+scales:.5,.75+flip,cam") == ["cam+scales:.5,.75+flip", "cam"]
    assert resolve("attention+flip", network(attention={"name": "rfga"})).startswith("attention:stage")
    assert passes(["cam", "cam+flip", "random"]) == [["cam", "random"], ["cam+flip"]]
    assert map_source("features+flip").described() == {
        "source": {"title": "feature mean + flip", "baseline": True}
    }
    own = ["cam+flip", "cam+scales:0.75,1@predicted", "torchcam:ScoreCAM+flip"]
    assert not any(map(is_foreign, own))
    assert all(
        map(is_foreign, ["my_maps:Edge+flip", "cam+my_maps:Turned", "my_maps:Edge+flip@predicted"])
    )


def test_a_name_for_several_maps_is_so_modified():
    tdam = network(attention={"name": "tdam"})
    names = [one.name for one in model_maps("cam@t=*+flip").expanded(tdam)]
    assert names == ["cam@t=1+flip", "cam@t=2+flip"]
    assert model_maps("cam@t=*+flip").named_by_network
    assert not model_maps("cam+flip").named_by_network


def test_a_modifier_from_outside_the_repository(model, batch, tmp_path, monkeypatch):
    (tmp_path / "my_modifiers.py").write_text(
        "from wsol.maps.modifiers.modifier import MapModifier\n\n\n"
        "class Brighter(MapModifier):\n"
        '    """Of images twice as bright."""\n\n'
        "    def read(self, output, columns):\n"
        "        return self.of_copies(self._images * 2, columns)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = maps(model, batch, "cam+my_modifiers:Brighter+flip")
    np.testing.assert_array_equal(
        found, maps(model, batch._replace(images=batch.images * 2), "cam+flip")
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("window+flip", "'window[+]flip': window takes no modifier: it gives boxes and no maps"),
        ("center+flip", "'center[+]flip': center takes no modifier: it reads no model"),
        ("random+flip", "random takes no modifier: it does not look at the image"),
        ("two_level+scales:1", "two_level takes no modifier: it reads proposals"),
        ("cam+flip+flip", "'cam[+]flip[+]flip': the same modifier twice"),
        ("cam+scales:1+flip+scales:2", "the same modifier twice"),
        ("cam+flap", "unknown map modifier 'flap': did you mean 'flip'"),
        ("cam+", "unknown map modifier ''"),
        ("cam+flip:2", "takes no argument"),
        ("cam+scales", "say the scales, different numbers above 0, as in cam[+]scales:0.75,1,1.5"),
        ("cam+scales:0,1", "say the scales"),
        ("cam+scales:1,1.0", "say the scales"),
        ("cam+scales:one", "say the scales"),
        ("cam+scales:inf", "say the scales"),
        ("1.5", r"unknown map source '1.5': .* quotes, as in \[cam, \"cam[+]scales:0.75,1\"\]"),
        ("can+flip", "unknown map source 'can': did you mean 'cam'"),
        ("features+flip@predicted", "'features' reads no class"),
    ],
)
def test_what_cannot_be_modified(source, message):
    with pytest.raises(UserError, match=message):
        map_source(source)


def test_a_size_that_the_network_does_not_read_is_named(batch):
    hourglass = network(
        backbone={"name": "hourglass_stem", "options": {"width": 8, "stem": "small"}},
        attention={"name": "hourglass", "options": {"depth": 2}},
    )
    with pytest.raises(UserError, match=r"hourglass_stem does not read images of side 22, 0.7 x 32: "):
        maps(hourglass, batch, "cam+scales:0.7,1")
    fixed = network(backbone={"name": "vgg_att"}, attention={"name": "ltpa"})
    with pytest.raises(UserError, match=r"vgg_att does not read images of side 64, 2 x 32: "):
        resolve("attention+scales:1,2", fixed.train())  # before any pass
    assert all(module.training for module in fixed.modules())
