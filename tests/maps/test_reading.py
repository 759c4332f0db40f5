"""Score map sources against maps computed plainly."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from wsol.errors import UserError
from wsol.maps.classes import class_columns
from wsol.maps.model_sources import passes, resolve
from wsol.maps.reading import MapReader
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

KEYS = ["cat", "dog", "owl"]


def localizer(attention: str = "none"):
    recipe = Recipe.from_dict(
        {"backbone": {"name": "small_resnet"}, "attention": {"name": attention}}
        | {"data": {"input_size": 32}}
    )
    torch.manual_seed(3)
    model = build_localizer(recipe, len(KEYS), KEYS)
    return model.eval()


@pytest.fixture
def batch():
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    return SimpleNamespace(
        images=images, labels=torch.tensor([2, 0, 1, 1]), image_ids=["a", "b", "c", "padding"], real=3
    )


def run(model, batch, source, keys=KEYS):
    return list(MapReader(model, keys).predictions([batch], source))


def test_class_maps_are_those_of_the_true_class(batch):
    model = localizer()
    found = run(model, batch, "cam")
    with torch.no_grad():
        features = model(batch.images).features
    weight = model.head.classifier.weight[:, :, 0, 0].detach()
    for index, prediction in enumerate(found):
        plain = (weight[prediction.label][:, None, None] * features[index]).sum(0)
        plain = plain + model.head.classifier.bias[prediction.label].detach()
        np.testing.assert_allclose(prediction.score_map, plain.numpy(), atol=1e-5)
    assert [prediction.image_id for prediction in found] == ["a", "b", "c"]


def test_top5_are_the_logits_in_falling_order(batch):
    model = localizer()
    with torch.no_grad():
        logits = model(batch.images).logits
    order = logits[:3].argsort(1, descending=True).tolist()
    assert [list(prediction.top5) for prediction in run(model, batch, "cam")] == order


def test_feature_mean(batch):
    model = localizer()
    with torch.no_grad():
        plain = model(batch.images).features.mean(1)
    np.testing.assert_allclose(run(model, batch, "features")[1].score_map, plain[1].numpy(), atol=1e-6)


def test_a_model_that_knows_more_classes_is_read_at_the_data_sets_columns(batch):
    model = localizer()
    batch.labels = torch.tensor([0, 1, 1, 1])
    few = run(model, batch, "cam", keys=["owl", "cat"])
    batch.labels = torch.tensor([2, 0, 0, 0])
    all_of_them = run(model, batch, "cam")
    for one, other in zip(few, all_of_them, strict=True):
        np.testing.assert_array_equal(one.score_map, other.score_map)
        assert one.top5 == tuple({2: 0, 0: 1, 1: -1}[label] for label in other.top5)


def test_a_model_that_lacks_a_class_is_refused():
    with pytest.raises(UserError, match=r"lacks 1 of the data set's 2 classes, e.g. 'fox'"):
        class_columns(KEYS, ["cat", "fox"], {})


def test_classes_that_stand_together_show_the_mean_of_their_maps(batch):
    model = localizer()
    batch.labels = torch.tensor([0, 1, 0, 0])
    groups = {"pet": ["cat", "dog"]}
    found = list(MapReader(model, ["pet", "owl"], groups).predictions([batch], "cam"))
    with torch.no_grad():
        output = model(batch.images)
    np.testing.assert_allclose(found[0].score_map, output.class_maps[0, :2].mean(0).numpy(), atol=1e-6)
    np.testing.assert_array_equal(found[1].score_map, output.class_maps[1, 2].numpy())
    first = output.logits.argmax(1).tolist()
    assert [prediction.top5[0] for prediction in found] == [int(label == 2) for label in first[:3]]
    with pytest.raises(UserError, match=r"evaluation.classes: no class 'pat': did you mean 'pet'"):
        list(MapReader(model, ["pet", "owl"], {"pat": ["cat"]}).predictions([batch], "cam"))


def test_attention_by_default_and_by_name(batch):
    model = localizer("rfga")
    source = resolve("attention", model)
    assert source.startswith("attention:")
    default, named = run(model, batch, "attention")[0], run(model, batch, source)[0]
    np.testing.assert_array_equal(default.score_map, named.score_map)
    with torch.no_grad():
        plain = model(batch.images).attention[source.partition(":")[2]][0]
    np.testing.assert_allclose(named.score_map, plain.numpy(), atol=1e-6)


def test_sources_of_one_pass_give_what_each_gives_alone(batch):
    model = localizer("tdam")
    asked = ["cam", "cam@t=1", "attention", "cam", "features", "torchcam:GradCAM", "cam@predicted"]
    assert passes(asked) == [
        ["cam", "attention", "features", "cam@predicted"],
        ["cam@t=1"],
        ["torchcam:GradCAM"],
    ]
    together = list(MapReader(model, KEYS).pairs([batch], passes(asked)[0]))
    for source in passes(asked)[0]:
        alone = run(model, batch, source)
        own = [prediction for name, prediction in together if name == source]
        for one, other in zip(own, alone, strict=True):
            assert (one.image_id, one.label, one.top5) == (other.image_id, other.label, other.top5)
            np.testing.assert_array_equal(one.score_map, other.score_map)
    with pytest.raises(UserError, match="cannot be read from one forward pass"):
        list(MapReader(model, KEYS).pairs([batch], ["cam", "cam@t=1"]))


def test_lowered_steps_change_tdam_alone(batch):
    model = localizer("tdam")
    whole, one_step = run(model, batch, "cam")[0], run(model, batch, "cam@t=1")[0]
    assert not np.array_equal(whole.score_map, one_step.score_map)
    np.testing.assert_array_equal(run(model, batch, "cam")[0].score_map, whole.score_map)


def test_grad_cam_of_a_linear_head_is_the_class_map(batch):
    # With global average pooling and one linear layer GradCAM's weights are the class weights / (h w).
    model = localizer()
    cam = run(model, batch, "cam")[0].score_map - float(model.head.classifier.bias[2])
    grad_cam = run(model, batch, "torchcam:GradCAM")[0].score_map
    np.testing.assert_allclose(grad_cam * grad_cam.size, np.maximum(cam, 0), atol=1e-4)
    assert not model.training
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("can", "unknown map source 'can': did you mean 'cam'"),
        ("attentoin", "unknown map source 'attentoin': did you mean 'attention'"),
        ("attentions", "unknown map source 'attentions': did you mean 'attention'"),
        ("center", "map source 'center' is no map of a model: The centred box"),
        ("attention", "no attention map of its own"),
        ("attention:stage9", "unknown attention map 'stage9': this model has none"),
        ("cam@t=two", "t must be a whole number"),
        ("torchcam:GradCam", "did you mean 'GradCAM'"),
        ("torchcam", "unknown torchcam method ''"),
        ("features:mean", "'features:mean' takes no argument"),
        ("features@predicted", "'features' reads no class"),
        ("files", "wsol evaluate --maps DIR"),
        ("no_such_module:Edge", "cannot import 'no_such_module'"),
    ],
)
def test_unknown_sources(batch, source, message):
    with pytest.raises(UserError, match=message):
        run(localizer(), batch, source)


@pytest.mark.parametrize("source", ["cam", "torchcam:GradCAM"])
def test_an_image_without_a_label_has_no_map_of_its_true_class(batch, source):
    batch.labels = torch.tensor([2, -1, 1, 1])
    with pytest.raises(UserError, match=f"b: has no label, and {source} .* --maps {source}@predicted"):
        run(localizer(), batch, source)


def test_what_reads_no_true_class_takes_images_without_a_label(batch):
    model = localizer("rfga")
    batch.labels = torch.full((4,), -1)
    with torch.no_grad():
        output = model(batch.images)
    first = output.logits.argmax(1).tolist()
    for keys, top5 in ([], ()), (["ant"] * 9, ()), (KEYS, None):
        for index, prediction in enumerate(run(model, batch, "cam@predicted", keys)):
            expected = output.class_maps[index, first[index]].numpy()
            np.testing.assert_allclose(prediction.score_map, expected, atol=1e-6)
            assert prediction.label == -1
            assert prediction.top5 == top5 or (top5 is None and prediction.top5[0] == first[index])
    for source in ("features", "attention"):
        assert [prediction.top5 for prediction in run(model, batch, source, [])] == [()] * 3


def test_of_images_nothing_is_known_of_every_source_shows_the_predicted_class(batch):
    model = localizer()
    first = model(batch.images).logits.argmax(1)
    for source in ("cam", "torchcam:GradCAM"):
        batch.labels = first
        expected = run(model, batch, source)
        batch.labels = torch.full((4,), -1)
        found = run(model, batch, source, keys=None)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one.score_map, other.score_map)
            assert one.top5 == other.top5 and one.label == -1


def test_predicted_maps_of_classes_that_stand_together_are_right_or_wrong_too(batch):
    model = localizer()
    batch.labels = torch.tensor([0, 1, 0, 0])
    first = model(batch.images).logits.argmax(1).tolist()
    groups = {"pet": ["cat", "dog"]}
    found = MapReader(model, ["pet", "owl"], groups).predictions([batch], "cam@predicted")
    assert [prediction.top5[0] for prediction in found] == [int(label == 2) for label in first[:3]]
