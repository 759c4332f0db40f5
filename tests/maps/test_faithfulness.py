"""Deletion and insertion: by hand on a network of one pixel, and against a plain loop on a real one."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d
from torch import nn

from wsol.evaluation.score_map import resize
from wsol.maps.clock import Clock
from wsol.maps.faithfulness.areas import KINDS, STEPS, AskedNetwork, Faithfulness
from wsol.maps.faithfulness.baselines import blurred
from wsol.maps.faithfulness.ranking import chance, ranks
from wsol.maps.reading import MapReader
from wsol.models.factory import build_localizer
from wsol.recipe import Recipe

KEYS = ["cat", "dog", "owl"]
SIDE = 20  # 400 pixels: 20 a step


class OnePixel(nn.Module):
    """The logit of class 0 is four times the red of pixel (3, 7); that of class 1 is zero."""

    def forward(self, images):
        value = 4 * images[:, 0, 3, 7]
        return SimpleNamespace(logits=torch.stack([value, torch.zeros_like(value)], dim=1))


def bright_pixel():
    image = torch.zeros(1, 3, SIDE, SIDE)
    image[0, 0, 3, 7] = 0.5
    return image


def ramp(at_pixel: int):
    """A map of 400 different values; that of pixel (3, 7) has the place ``at_pixel`` from the top."""
    values = np.delete(np.arange(SIDE * SIDE), at_pixel)
    return np.insert(values, 3 * SIDE + 7, at_pixel).reshape(1, SIDE, SIDE) * -1.0


@pytest.mark.parametrize(("place", "step"), [(0, 1), (19, 1), (20, 2), (399, 20)])
def test_areas_of_one_pixel_by_hand(place, step):
    asked = AskedNetwork(OnePixel(), [[0], [1]], Faithfulness())
    ((found,),) = asked.areas(bright_pixel(), [0], ["a"], [ramp(place)])
    seen, gone = 1 / (1 + np.exp(-2.0)), 0.5
    # The curve has one value before the pixel's step and another from it on: 21 values, 20 trapezoids,
    # of which the one in between is half and half.
    before = (step - 0.5) / 20
    assert found["deletion"] == pytest.approx(seen * before + gone * (1 - before), abs=1e-6)
    assert found["insertion_mean"] == pytest.approx(gone * before + seen * (1 - before), abs=1e-6)
    blur = 1 / (1 + np.exp(-4 * float(blurred(bright_pixel())[0, 0, 3, 7])))
    assert 0.5 < blur < 0.51
    assert found["deletion_blur"] == pytest.approx(seen * before + blur * (1 - before), abs=1e-6)
    assert found["insertion"] == pytest.approx(blur * before + seen * (1 - before), abs=1e-6)


def test_the_true_class_counts_and_classes_that_stand_together_add_up():
    image, maps = bright_pixel().repeat(3, 1, 1, 1), np.repeat(ramp(0), 3, 0)
    asked = AskedNetwork(OnePixel(), [[0], [1], [0, 1]], Faithfulness())
    ((first, other, both),) = asked.areas(image, [0, 1, 2], ["a", "a", "a"], [maps])
    for key in KINDS:
        assert first[key] + other[key] == pytest.approx(1, abs=1e-6)
        assert both[key] == pytest.approx(1, abs=1e-6)


def test_what_has_no_class_or_is_no_map_has_no_areas():
    wanted = Faithfulness(clock=Clock())
    asked = AskedNetwork(OnePixel(), [[0], [1]], wanted)
    image, maps = bright_pixel().repeat(2, 1, 1, 1), np.repeat(ramp(0), 2, 0)
    none, some = asked.areas(image, [0, -1], ["a", "b"], [None, maps])
    assert none == [{}, {}] and some[1] == {} and set(some[0]) == set(KINDS)
    assert [images for images, _, _ in wanted.clock.batches] == [2]  # of one source
    assert asked.areas(image, [0, -1], ["a", "b"], [None]) == [[{}, {}]]
    assert len(wanted.clock.batches) == 1


def test_the_blur_is_a_gaussian_of_sigma_five_cut_at_five_pixels():
    image = np.random.default_rng(0).normal(size=(1, 3, 24, 31)).astype(np.float32)
    kernel = np.exp(-0.5 * (np.arange(-5, 6) / 5.0) ** 2)
    kernel /= kernel.sum()
    plain = correlate1d(correlate1d(image, kernel, 2, mode="mirror"), kernel, 3, mode="mirror")
    np.testing.assert_allclose(blurred(torch.from_numpy(image)).numpy(), plain, atol=1e-5)


def plain_areas(model, image, label, score_map, image_id):
    """One image after the other, its pixels sorted by Python."""
    side = image.shape[-1]
    values = resize(score_map, (side, side)).ravel()
    assert len(set(values)) == side * side  # no ties
    falling = sorted(range(side * side), key=lambda pixel: -values[pixel])
    pictures = {"image": image, "mean": torch.zeros_like(image), "blur": blurred(image[None])[0]}
    found = {}
    for key, (before, after) in KINDS.items():
        shown, curve = pictures[before].clone(), []
        for step in range(STEPS + 1):
            with torch.no_grad():
                curve.append(float(model(shown[None]).logits.softmax(1)[0, label]))
            now = falling[side * side * step // STEPS : side * side * (step + 1) // STEPS]
            rows, columns = [pixel // side for pixel in now], [pixel % side for pixel in now]
            shown[:, rows, columns] = pictures[after][:, rows, columns]
        assert torch.equal(shown, pictures[after])
        # RISE's own formula of the area.
        found[key] = (sum(curve) - curve[0] / 2 - curve[-1] / 2) / STEPS
    return found


def localizer(attention="none"):
    recipe = Recipe.from_dict(
        {"backbone": {"name": "small_resnet"}, "attention": {"name": attention}}
        | {"data": {"input_size": 32}}
    )
    torch.manual_seed(3)
    return build_localizer(recipe, len(KEYS), KEYS).eval()


@pytest.fixture
def batch():
    images = 2 * torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    return SimpleNamespace(
        images=images, labels=torch.tensor([2, 0, 1]), image_ids=["a", "b", "padding"], real=2
    )


def by_source(model, batch, sources, **options):
    found = MapReader(model, KEYS).pairs([batch], sources, None, Faithfulness(**options))
    areas: dict[str, list] = {}
    for source, prediction in found:
        areas.setdefault(source, []).append(prediction)
    return areas


def test_areas_of_a_network_are_those_of_a_plain_loop(batch):
    model = localizer()
    found = by_source(model, batch, ["cam", "features"])
    for predictions in found.values():
        assert len(predictions) == 2
        for row, prediction in enumerate(predictions):
            plain = plain_areas(
                model, batch.images[row], prediction.label, prediction.score_map, prediction.image_id
            )
            assert prediction.faithfulness == pytest.approx(plain, abs=1e-5)
    assert found["cam"][0].faithfulness != found["features"][0].faithfulness


@pytest.mark.parametrize("source", ["cam@t=1", "torchcam:GradCAM"])
def test_the_network_is_asked_as_it_is_and_not_as_a_source_reads_it(batch, source):
    model = localizer("tdam")
    prediction = by_source(model, batch, [source])[source][0]
    plain = plain_areas(model, batch.images[0], 2, prediction.score_map, "a")
    assert prediction.faithfulness == pytest.approx(plain, abs=1e-5)
    if source == "cam@t=1":
        with model.at_step(1):
            lowered = plain_areas(model, batch.images[0], 2, prediction.score_map, "a")
        assert abs(prediction.faithfulness["deletion"] - lowered["deletion"]) > 1e-4


def test_areas_are_of_full_precision_whatever_the_maps_are_read_in(batch):
    model = localizer()
    whole = by_source(model, batch, ["cam"])["cam"][0].score_map[None]
    asked = AskedNetwork(model, [[0], [1], [2]], Faithfulness())
    plain = asked.areas(batch.images[:1], [2], ["a"], [whole])
    with torch.autocast("cpu", torch.bfloat16):
        assert asked.areas(batch.images[:1], [2], ["a"], [whole]) == plain


def test_a_model_without_the_classes_is_not_asked(batch):
    predictions = list(
        MapReader(localizer(), ["fox"]).pairs([batch], ["features"], None, Faithfulness())
    )
    assert [prediction.faithfulness for _, prediction in predictions] == [{}, {}]


def order_of(score_map, image_id="a", side=32, interpolation="cubic"):
    places = ranks(np.asarray(score_map, np.float32), image_id, (side, side), interpolation)
    assert sorted(places.ravel()) == list(range(side * side))
    return places


def test_a_map_without_an_opinion_is_a_random_map_and_not_the_top_of_the_image():
    random = chance("a", (32, 32))
    expected = np.empty(1024, np.int32)
    expected[np.argsort(-random, axis=None, kind="stable")] = np.arange(1024)
    for constant in (np.zeros((7, 7)), np.full((7, 7), 0.3), np.full((5, 5), np.nan)):
        np.testing.assert_array_equal(order_of(constant).ravel(), expected)
    # Smooth, so that what is deleted is patches and no noise: neighbours are deleted together.
    first = order_of(np.zeros((7, 7))) < 205
    together = (first[:, 1:] == first[:, :-1]).mean()
    assert together > 0.9
    assert not np.array_equal(order_of(np.zeros((7, 7)), "b"), order_of(np.zeros((7, 7))))


def test_ties_beside_a_peak_are_broken_by_chance_too():
    score_map = np.full((7, 7), 0.3)
    score_map[3, 3] = 0.7
    places = order_of(score_map)
    assert places[16, 16] == 0 or places[15:18, 15:18].min() == 0
    # Beyond the reach of the cubic kernel around the peak nothing but chance decides.
    random = chance("a", (32, 32))
    corner = np.s_[:4, :]
    np.testing.assert_array_equal(
        np.argsort(places[corner], axis=None), np.argsort(-random[corner], axis=None)
    )


def test_maps_are_resized_as_the_protocol_says():
    score_map = np.random.default_rng(1).random((7, 7))
    for interpolation in ("cubic", "linear"):
        places = order_of(score_map, interpolation=interpolation).ravel()
        falling = resize(score_map, (32, 32), interpolation).ravel()[np.argsort(places)]
        assert (np.diff(falling) <= 1e-6).all()
