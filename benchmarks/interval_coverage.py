"""How often the 95 % intervals cover the truth, beside plain percentile intervals.

    python benchmarks/interval_coverage.py [--trials 400] [--resamples 400] [--images 30,100,250,1000]

Populations of 60,000 images. MaxBoxAcc: an image is right for the cuts of a range of its own, so that
accuracy over thresholds is flat, peaked, broad, or broad and low (a strict IoU); near the ceiling and
the floor; with two separate ranges of good thresholds, of which one is better by 0, 2 or 4 points. V2
and mean IoU: an image's IoU over the cuts is a bump of its own, or two. The truth is the metric at the
population's best threshold. Errors are given on both sides: the interval lies wholly above, wholly
below the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import numpy as np

from wsol.scores.curves import UNIT, Mean, units
from wsol.scores.metrics.on_boxes import candidate_thresholds
from wsol.scores.resampling.interval import interval
from wsol.scores.resampling.replicates import Replicates, mean_of, replicate
from wsol.scores.threshold_families import MetricFamily

POPULATION = 60_000
CUTS = np.arange(256)
# Name -> centre and scatter of the ranges, mean and scatter of the log of their width, share of images.
RANGES = {
    "peaked": (60, 25, 3.6, 0.7, 1.0),
    "broad": (90, 50, 4.3, 0.9, 1.0),
    "strict": (90, 50, 2.5, 1.0, 1.0),
    "high": (100, 20, 4.8, 0.45, 0.97),
    "ceiling": (100, 10, 5.2, 0.35, 0.99),
    "floor": (100, 50, 2.5, 1.0, 0.008),
}
GAPS = {"two ranges": 0.0, "two ranges, gap 2": 0.02, "two ranges, gap 4": 0.04}
OF_IOU = ("one bump", "two bumps", "near 100")


def ranges(
    centre: np.ndarray | float, width: float, spread: float, share: float, rng: np.random.Generator
) -> np.ndarray:
    """Whether each cut is in the range of each image, (60000, 256) bool; ``share`` of them have one."""
    half = np.exp(rng.normal(width, spread, POPULATION)) / 2
    has = rng.random(POPULATION) < share
    return (np.abs(CUTS - np.reshape(centre, (-1, 1))) <= half[:, None]) & has[:, None]


def right(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Right or not, per image and cut, (60000, 256) bool."""
    if kind == "flat":
        return ranges(rng.uniform(20, 220, POPULATION), 4.2, 0.8, 1.0, rng)
    if kind in GAPS:
        here = ranges(rng.normal(70, 6, POPULATION), 4.4, 0.2, 0.6, rng)
        return here | ranges(rng.normal(190, 6, POPULATION), 4.4, 0.2, 0.6 - GAPS[kind], rng)
    centre, scatter, width, spread, share = RANGES[kind]
    return ranges(rng.normal(centre, scatter, POPULATION), width, spread, share, rng)


def iou(kind: str, rng: np.random.Generator) -> np.ndarray:
    """IoU per image and cut, (60000, 256) float32 in [0, 1]."""

    def bump(centre: float, scatter: float, best: np.ndarray, width: float) -> np.ndarray:
        places = rng.normal(centre, scatter, POPULATION)[:, None]
        return best[:, None] * np.exp(-(((CUTS - places) / width) ** 2))

    if kind == "near 100":
        sharp = bump(100, 12, rng.beta(60, 2, POPULATION), 160)
        return np.where(rng.random(POPULATION) < 0.985, 1, 0.1)[:, None] * sharp.astype(np.float32)
    one = bump(80, 30, rng.beta(5, 3, POPULATION), 60)
    if kind == "two bumps":
        one = bump(60, 10, rng.beta(5, 3, POPULATION), 35)
        one = np.maximum(one, bump(190, 10, rng.beta(5, 3.3, POPULATION), 35))
    return one.astype(np.float32)


Measured = tuple[float, Replicates]


def of_right(sample: np.ndarray, resamples: int) -> Measured:
    """MaxBoxAcc of a sample (n, 256) bool, and its replicates."""
    kept = candidate_thresholds(sample)
    curve = Mean(sample[:, kept], np.arange(len(sample)))
    return _measured(curve, kept, len(sample), resamples)


def of_v2(sample: np.ndarray, resamples: int) -> Measured:
    """The mean over IoU 0.3, 0.5, 0.7, each at its own best threshold, of a sample (n, 256) of IoU."""
    each = [of_right(sample >= level, resamples) for level in (0.3, 0.5, 0.7)]
    return float(np.mean([value for value, _ in each])), mean_of([draws for _, draws in each])


def of_mean(sample: np.ndarray, resamples: int) -> Measured:
    """The mean IoU of a sample (n, 256) at its best threshold."""
    kept = candidate_thresholds(sample)
    curve = Mean(units(100 * sample[:, kept].astype(np.float64)), np.arange(len(sample)), whole=UNIT)
    return _measured(curve, kept, len(sample), resamples)


def _measured(curve: Mean, kept: np.ndarray, n: int, resamples: int) -> Measured:
    family = MetricFamily(kept / len(CUTS), {"metric": curve})
    value = float(family(np.ones((1, n), np.float32))["metric"].values[0])
    return value, replicate([family], n, resamples)["metric"]


def measure(
    population: np.ndarray,
    metric: Callable[[np.ndarray, int], Measured],
    truth: float,
    n: int,
    trials: int,
    resamples: int,
) -> str:
    """One line: coverage, errors above and below, and mean width, ours and plain."""
    rng = np.random.default_rng(n)
    misses, widths = np.zeros((2, 2)), np.zeros(2)
    biases, optimism = [], []
    for _ in range(trials):
        value, draws = metric(population[rng.integers(0, POPULATION, n)], resamples)
        plain = np.quantile(draws.anew, [0.025, 0.975])
        for row, bounds in enumerate((interval(value, draws, n), plain)):
            assert bounds is not None
            low, high = bounds
            misses[row] += [truth < low, truth > high]
            widths[row] += high - low
        biases.append(value - truth)
        optimism.append(draws.optimism)
    rates, widths = 100 * misses / trials, widths / trials
    cells = [
        f"{100 - above - below:5.1f} ({above:4.1f} above, {below:4.1f} below) width {width:4.1f}"
        for (above, below), width in zip(rates, widths, strict=True)
    ]
    means = f"bias {np.mean(biases):5.2f} optimism {np.mean(optimism):5.2f}"
    return f"truth {truth:5.2f} {means} | {cells[0]} | plain {cells[1]}"


def truth_of(metric: Callable[[np.ndarray, int], Measured], population: np.ndarray) -> float:
    """The metric of the population at its best threshold, in percent."""
    levels = (0.3, 0.5, 0.7)
    if metric is of_v2:
        return float(np.mean([100 * (population >= level).mean(axis=0).max() for level in levels]))
    return 100 * float(population.mean(axis=0, dtype=np.float64).max())


def main(argv: Sequence[str] | None = None) -> None:
    """Print a line for each metric, population and number of images."""
    parser = argparse.ArgumentParser(description="Coverage of the 95 % intervals over images.")
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--images", default="5,30,100,250,1000")
    arguments = parser.parse_args(argv)
    cases = [("max_box_acc", of_right, right, kind) for kind in ("flat", *RANGES, *GAPS)]
    cases += [("max_box_acc_v2", of_v2, iou, kind) for kind in OF_IOU]
    cases += [("mean_iou", of_mean, iou, kind) for kind in OF_IOU]
    for name, metric, make, kind in cases:
        population = make(kind, np.random.default_rng(0))
        truth = truth_of(metric, population)
        for n in map(int, arguments.images.split(",")):
            line = measure(population, metric, truth, n, arguments.trials, arguments.resamples)
            print(f"{name:<14} {kind:<17} n {n:>5} {line}", flush=True)


if __name__ == "__main__":
    main()
