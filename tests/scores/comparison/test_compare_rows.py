"""Two rows compared: against a slow plain resampling, and what must hold whatever the images."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import binomtest

from wsol.errors import UserError
from wsol.scores.comparison.compare_rows import compare_rows
from wsol.scores.comparison.paired_resampling import Images, PairedReplicates, paired_replicates
from wsol.scores.comparison.scored_row import ScoredRow
from wsol.scores.comparison.seed_curves import SeedCurves
from wsol.scores.curves import Mean
from wsol.scores.iou_codes import SINGLE_UNITS
from wsol.scores.metrics import metrics_of
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import ThresholdPolicy, protocol_named
from wsol.scores.resampling.replicates import Replicates
from wsol.scores.resampling.weights import SEED, resample_weights
from wsol.scores.samples import Annotation

CHOE = protocol_named("choe2020", 0.05)
KEY = "gt_known_loc@0.5"
ORACLE, VAL, FIXED = map(ThresholdPolicy.parse, ("oracle", "val", "fixed:0.35"))


def images(n, seed, centre=90.0, masks=False):
    """Each image is right for thresholds in a range of its own; images of one number are alike hard."""
    hard, own = np.random.default_rng(7).normal(size=n), np.random.default_rng(seed)
    one = np.ones((1, 4), np.float32)
    per_image = PerImage.empty([Annotation(f"i{i}", 0, (9, 9), one) for i in range(n)], CHOE, masks)
    width = np.exp(4.2 + 0.8 * hard + 0.3 * own.normal(size=n))[:, None]
    right = np.abs(np.arange(256) - own.normal(centre, 30, n)[:, None]) <= width / 2
    per_image.single[:] = np.where(right, SINGLE_UNITS * 6 // 10, SINGLE_UNITS // 4)
    per_image.all[:] = np.where(right, 60, 25)
    per_image.top[:] = 255
    per_image.top1[:] = per_image.top5[:] = own.random(n) < 0.7
    if masks:
        per_image.positives[:] = own.integers(1, 9, per_image.positives.shape)
        per_image.negatives[:] = own.integers(1, 9, per_image.negatives.shape)
    return per_image


def row_of(n, *seeds, centre=90.0, masks=False):
    val = [images(n // 2, seed + 500, centre, masks) for seed in seeds]
    return ScoredRow([images(n, seed, centre, masks) for seed in seeds], val)


def right(per_image):
    """Whether each image is right, (n, T), at the thresholds of the grid."""
    return per_image.single[:, (CHOE.thresholds * 255).astype(int)] >= SINGLE_UNITS // 2


@pytest.mark.parametrize("policy", [ORACLE, VAL])
def test_replicates_equal_a_plain_loop_that_copies_images(policy):
    on_val, rows = policy is VAL, (row_of(40, 1, 2), row_of(40, 3, centre=140.0))
    grid = CHOE.thresholds
    curves = [
        [
            SeedCurves(Mean(right(a), np.arange(40)), Mean(right(b), np.arange(20)), True)
            if on_val
            else SeedCurves(curve := Mean(right(a), np.arange(40)), curve)
            for a, b in zip(row.seeds, row.val, strict=True)
        ]
        for row in rows
    ]
    found = paired_replicates(*curves, Images(40), Images(20), 30)
    drawn = np.concatenate(list(resample_weights(40, 30, SEED))).astype(int)
    val_drawn = np.concatenate(list(resample_weights(20, 30, SEED + 1))).astype(int)
    for b in range(30):
        anew, kept = [], []
        for row in rows:
            mine = []
            for one, val in zip(row.seeds, row.val, strict=True):
                copies = right(one)[np.repeat(np.arange(40), drawn[b])].mean(axis=0)
                judged = right(val)[np.repeat(np.arange(20), val_drawn[b])].mean(axis=0)
                best = int((judged if on_val else copies).argmax())
                first = int(right(val if on_val else one).mean(axis=0).argmax())
                mine.append([100 * copies[best], 100 * copies[first]])
            anew.append(np.mean(mine, axis=0)[0])
            kept.append(np.mean(mine, axis=0)[1])
        assert found.replicates.anew[b] == pytest.approx(anew[0] - anew[1])
        assert found.replicates.kept[b] == pytest.approx(kept[0] - kept[1])
    assert len(grid) == right(rows[0].seeds[0]).shape[1]


def test_mcnemar_where_nothing_is_chosen():
    row, other = row_of(120, 1), row_of(120, 2, centre=140.0)
    found = compare_rows(row, other, CHOE, KEY, FIXED)
    cut = int(0.35 * 255)
    mine, theirs = (one.seeds[0].single[:, cut] >= SINGLE_UNITS // 2 for one in (row, other))
    wins, losses = int((mine & ~theirs).sum()), int((theirs & ~mine).sum())
    assert found.exact
    assert found.p_value == pytest.approx(binomtest(wins, wins + losses).pvalue)
    assert found.difference == pytest.approx(100 * (wins - losses) / 120)
    assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


def test_p_is_the_smallest_alpha_whose_interval_leaves_zero_out():
    draws = np.random.default_rng(0).normal(4, 2, 999)
    pair = PairedReplicates(4.0, Replicates(draws, draws, images=500), 500)
    for alpha in (pair.p_value * 1.001, pair.p_value * 0.999):
        low, high = pair.interval(1 - alpha)
        assert (low > 0 or high < 0) == (alpha > pair.p_value)


@pytest.mark.parametrize("policy", [ORACLE, VAL, FIXED])
def test_swapped_rows_differ_by_the_opposite(policy):
    row, other = row_of(150, 1, 2), row_of(150, 3, centre=150.0)
    one = compare_rows(row, other, CHOE, KEY, policy, 200)
    back = compare_rows(other, row, CHOE, KEY, policy, 200)
    assert back.difference == pytest.approx(-one.difference)
    assert (back.low, back.high) == (pytest.approx(-one.high), pytest.approx(-one.low))
    assert back.p_value == pytest.approx(one.p_value, abs=1e-6)


@pytest.mark.parametrize("policy", [ORACLE, VAL, FIXED])
def test_a_row_does_not_differ_from_itself(policy):
    row = row_of(60, 1, 2)
    found = compare_rows(row, row, CHOE, KEY, policy, 50)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_rows_that_stumble_over_the_same_images_are_told_apart_better():
    row, other = row_of(300, 1), row_of(300, 2)
    shuffled = images(300, 2).of_images(np.random.default_rng(0).permutation(300))
    broken = dataclasses.replace(shuffled, image_ids=other.seeds[0].image_ids)
    paired = compare_rows(row, other, CHOE, KEY, ORACLE, 300)
    apart = compare_rows(row, ScoredRow([broken]), CHOE, KEY, ORACLE, 300)
    assert paired.difference == pytest.approx(apart.difference)
    assert apart.high - apart.low > 1.15 * (paired.high - paired.low)


def test_images_in_another_order_are_paired_by_their_name():
    row, other = row_of(80, 1), row_of(80, 2)
    turned = ScoredRow([images(80, 2).of_images(np.arange(79, -1, -1))])
    assert compare_rows(row, turned, CHOE, KEY, ORACLE, 60) == compare_rows(
        row, ScoredRow(other.seeds), CHOE, KEY, ORACLE, 60
    )


def test_images_of_a_group_are_drawn_together():
    # Every image four times: grouped they say as much as one of each, ungrouped four times as much.
    four = np.repeat(np.arange(60), 4)

    def copied(seed):
        made = images(60, seed).of_images(four)
        return dataclasses.replace(made, image_ids=np.array([f"c{i}" for i in range(240)]))

    one, other = copied(1), copied(2)
    loose = compare_rows(ScoredRow([one]), ScoredRow([other]), CHOE, KEY, FIXED, 400)
    for copies in (one, other):
        copies.groups = four.astype(np.str_)
    tied = compare_rows(ScoredRow([one]), ScoredRow([other]), CHOE, KEY, FIXED, 400)
    single = compare_rows(row_of(60, 1), row_of(60, 2), CHOE, KEY, FIXED, 400)
    assert not tied.exact
    assert tied.high - tied.low > 1.6 * (loose.high - loose.low)
    assert tied.high - tied.low == pytest.approx(single.high - single.low, rel=0.25)


@pytest.mark.parametrize("policy", [ORACLE, VAL, FIXED])
def test_every_metric_of_the_registry_is_compared(policy):
    row, other = row_of(30, 1, masks=True), row_of(30, 2, masks=True)
    compared = 0
    for key, metric in metrics_of(CHOE).items():
        if policy.name in metric.specification.policies and metric.measurable(row.seeds[0], CHOE):
            found = compare_rows(row, other, CHOE, key, policy, 20)
            assert found.low <= found.difference <= found.high, key
            assert 0 < found.p_value <= 1, key
            compared += 1
    assert compared >= 14


@pytest.mark.parametrize(
    ("row", "key", "policy", "message"),
    [
        (row_of(9, 1), "gt_known", ORACLE, "unknown metric"),
        (row_of(9, 1), "box_acc_v2", ORACLE, "choose val or fixed"),
        (row_of(9, 1), "pxap", ORACLE, "it needs masks"),
        (ScoredRow([images(9, 1)]), KEY, VAL, "needs the arrays of val"),
        (ScoredRow([]), KEY, ORACLE, "without arrays"),
        (ScoredRow([images(9, 1).of_images(np.arange(0))]), KEY, ORACLE, "in common"),
    ],
)
def test_what_cannot_be_compared_is_said(row, key, policy, message):
    with pytest.raises(UserError, match=message):
        compare_rows(row, row_of(9, 2), CHOE, key, policy)
