"""Bootstrap intervals against a plain bootstrap, and that they cover."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from wsol.evaluation.split_scores import compute
from wsol.scores.iou_codes import SINGLE_UNITS
from wsol.scores.metrics.max_box_acc import MaxBoxAccMetric
from wsol.scores.metrics.on_boxes import candidate_thresholds
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import protocol_named
from wsol.scores.resampling.interval import interval
from wsol.scores.resampling.replicates import Replicates, replicate
from wsol.scores.resampling.weights import resample_weights
from wsol.scores.samples import Annotation
from wsol.scores.threshold_families import MetricFamily

CHOE = dataclasses.replace(protocol_named("choe2020", 0.02), iou_percents=(50,))


def family_of(per_image):
    """MaxBoxAcc at 0.5, at the thresholds that may win."""
    metric = MaxBoxAccMetric(0.5)
    kept = metric.candidates(per_image, CHOE.thresholds)
    return MetricFamily(kept, {metric.key: metric.curve(per_image, kept)})


def images(n, seed, groups=None):
    """Each image is right for thresholds in an interval of its own, as CAMs are."""
    rng = np.random.default_rng(seed)
    one = np.ones((1, 4), np.float32)
    per_image = PerImage.empty([Annotation(str(i), 0, (9, 9), one) for i in range(n)], CHOE, False)
    per_image.groups = None if groups is None else np.array(groups)
    centre = rng.normal(90, 50, n)[:, None]
    width = np.exp(rng.normal(4.0, 0.9, n))[:, None]
    right = np.abs(np.arange(256) - centre) <= width / 2
    per_image.single[:] = np.where(right, SINGLE_UNITS * 6 // 10, SINGLE_UNITS // 4)
    per_image.all[:] = np.where(right, 60, 25)
    per_image.top[:] = 255
    return per_image


def test_weights_are_counts_of_a_resample_whatever_the_block():
    whole = np.concatenate(list(resample_weights(50, 30)))
    assert whole.shape == (30, 50)
    assert (whole.sum(axis=1) == 50).all()
    small = np.concatenate(list(resample_weights(50, 30, block_bytes=4 * 50 * 7)))
    np.testing.assert_array_equal(whole, small)


def test_replicates_equal_a_bootstrap_that_copies_images():
    per_image = images(60, seed=0)
    family = family_of(per_image)
    draws = replicate([family], 60, resamples=40)["max_box_acc@0.5"]
    cuts = (CHOE.thresholds * 255).astype(int)
    correct = per_image.single[:, cuts] >= SINGLE_UNITS // 2
    on_all = correct.mean(axis=0) * 100
    for row, counts in enumerate(np.concatenate(list(resample_weights(60, 40)))):
        curve = correct[np.repeat(np.arange(60), counts.astype(int))].mean(axis=0) * 100
        assert draws.anew[row] == pytest.approx(curve.max())
        assert draws.kept[row] == pytest.approx(curve[on_all.argmax()])
        assert draws.flattered[row] == pytest.approx(curve.max() - on_all[curve.argmax()])


def test_thresholds_out_of_reach_change_nothing():
    # 2,000 images leave most thresholds out; the maxima of resamples are the same with all of them.
    per_image = images(2000, seed=1)
    cuts = (CHOE.thresholds * 255).astype(int)
    correct = per_image.single[:, cuts] >= SINGLE_UNITS // 2
    kept = candidate_thresholds(correct)
    assert 0 < len(kept) < len(cuts)
    for weights in resample_weights(2000, 100):
        curves = weights @ correct
        np.testing.assert_array_equal(curves.max(axis=1), curves[:, kept].max(axis=1))
    assert correct.sum(axis=0).argmax() == kept[correct[:, kept].sum(axis=0).argmax()]


def test_without_a_choice_the_interval_is_the_plain_percentiles():
    rng = np.random.default_rng(0)
    draws = rng.normal(60, 2, 500)
    low, high = interval(60.0, Replicates(draws, draws))
    assert (low, high) == tuple(np.quantile(draws, [0.025, 0.975]))


def test_undefined_metrics_and_replicates():
    nothing = np.full(9, np.nan)
    assert interval(float("nan"), Replicates(np.zeros(9), np.zeros(9))) is None
    assert interval(50.0, Replicates(nothing, nothing)) is None
    half = np.array([40.0, np.nan, 60.0])
    low, high = interval(50.0, Replicates(half, half))
    assert 40 <= low < high <= 60


def test_optimism_is_reported_for_what_was_chosen_here_alone():
    per_image = images(120, seed=3)
    per_image.top1[:] = per_image.top5[:] = 1
    oracle = compute(per_image, CHOE, resamples=200)
    assert oracle.optimism["max_box_acc@0.5"] > 0
    assert oracle.optimism["max_box_acc@0.5"] == oracle.optimism["gt_known_loc@0.5"]
    assert "top1_acc" not in oracle.optimism
    metric = oracle.metrics["max_box_acc@0.5"]
    assert metric["low"] < metric["value"] < metric["high"]


def test_intervals_cover_the_population_where_plain_percentiles_do_not():
    population = images(20_000, seed=10)
    cuts = (CHOE.thresholds * 255).astype(int)
    truth = 100 * (population.single[:, cuts] >= SINGLE_UNITS // 2).mean(axis=0).max()
    covered = plain = 0
    rng = np.random.default_rng(0)
    for _ in range(120):
        rows = rng.choice(20_000, 200)
        sample = images(200, seed=0)
        sample.single[:] = population.single[rows]
        family = family_of(sample)
        draws = replicate([family], 200, resamples=150)["max_box_acc@0.5"]
        value = float(family(np.ones((1, 200), np.float32))["max_box_acc@0.5"].values[0])
        low, high = interval(value, draws)
        covered += low <= truth <= high
        plain += np.quantile(draws.anew, 0.025) <= truth <= np.quantile(draws.anew, 0.975)
    assert covered >= 0.9 * 120  # 95 % less three standard errors of 120 trials
    assert plain < covered


def test_the_value_is_inside_its_interval_even_at_the_ceiling():
    """All replicates at 100 and an optimism of half a point: both bounds would lie below the value."""
    found = interval(100.0, Replicates(np.full(50, 100.0), np.full(50, 100.0), np.full(50, 0.5)))
    assert found == (99.5, 100.0)


@pytest.mark.parametrize(("optimism", "above"), [(2.0, 0.5), (0.5, 2.0)])
def test_the_bounds_move_by_the_larger_and_the_smaller_estimate_of_the_flattery(optimism, above):
    """Two good ranges of thresholds: the optimism alone would move the upper bound below the truth."""
    kept = np.linspace(58, 62, 401)
    draws = Replicates(np.full(401, 60 + above), kept, np.full(401, optimism))
    low, high = interval(60.0, draws)
    assert low == pytest.approx(58.1 - 2.0)  # the 2.5 % and 97.5 % quantiles are 58.1 and 61.9
    assert high == pytest.approx(61.9 - 0.5)


def test_thresholds_out_of_reach_change_nothing_for_real_values_either():
    rng = np.random.default_rng(4)
    centre = rng.normal(90, 30, 500)[:, None]
    iou = rng.beta(5, 3, 500)[:, None] * np.exp(-(((np.arange(256) - centre) / 60) ** 2))
    kept = candidate_thresholds(iou)
    assert 1 < len(kept) < 256
    for weights in resample_weights(500, 200):
        curves = weights.astype(np.float64) @ iou
        np.testing.assert_allclose(curves.max(axis=1), curves[:, kept].max(axis=1), rtol=1e-12)


def test_of_groups_every_member_is_drawn_as_often_as_its_group():
    groups = np.array(["b", "a", "b", "c", "a", "b"])
    whole = np.concatenate(list(resample_weights(6, 30, groups=groups)))
    # The three groups in the order they come: three images would be drawn as often.
    np.testing.assert_array_equal(
        whole, np.concatenate(list(resample_weights(3, 30)))[:, [0, 1, 0, 2, 1, 0]]
    )
    small = np.concatenate(list(resample_weights(6, 30, block_bytes=4 * 6 * 7, groups=groups)))
    np.testing.assert_array_equal(whole, small)


def test_replicates_of_groups_equal_a_bootstrap_that_copies_groups():
    """Every image of a drawn group is copied, by loops; a group of three weighs three times one."""
    rng = np.random.default_rng(5)
    groups = [f"g{number}" for number in rng.integers(0, 25, 60)]
    per_image = images(60, seed=0, groups=groups)
    family = family_of(per_image)
    draws = replicate([family], 60, 40, per_image.groups)["max_box_acc@0.5"]
    cuts = (CHOE.thresholds * 255).astype(int)
    correct = per_image.single[:, cuts] >= SINGLE_UNITS // 2
    names = list(dict.fromkeys(groups))
    assert draws.images == len(names)
    generator = np.random.default_rng(0)
    for row in range(40):
        copied = []
        for drawn in generator.integers(0, len(names), len(names), dtype=np.int32):
            copied += [place for place, name in enumerate(groups) if name == names[drawn]]
        curve = correct[copied].mean(axis=0) * 100
        assert draws.anew[row] == pytest.approx(curve.max())
        assert draws.kept[row] == pytest.approx(curve[correct.mean(axis=0).argmax()])


def test_two_alike_queries_an_image_are_worth_no_more_than_the_image():
    plain = images(120, seed=3)
    twice = images(240, seed=0, groups=[str(place // 2) for place in range(240)])
    for name in ("single", "all", "top"):
        getattr(twice, name)[:] = np.repeat(getattr(plain, name), 2, axis=0)
    one, two = compute(plain, CHOE, resamples=200), compute(twice, CHOE, resamples=200)
    assert one.metrics == two.metrics and one.optimism == two.optimism
    assert one.threshold == two.threshold
    twice.groups = None
    narrow = compute(twice, CHOE, resamples=200).metrics["max_box_acc@0.5"]
    wide = two.metrics["max_box_acc@0.5"]
    assert narrow["high"] - narrow["low"] < 0.85 * (wide["high"] - wide["low"])


def test_the_draws_of_a_metric_are_the_groups_among_its_images():
    per_image = images(6, seed=0, groups=["a", "a", "b", "b", "c", "c"])
    per_image.has_box[[1, 2, 3]] = False  # of b none is left
    assert replicate([family_of(per_image)], 6, 5, per_image.groups)["max_box_acc@0.5"].images == 2
    assert replicate([family_of(per_image)], 6, 5)["max_box_acc@0.5"].images == 3
