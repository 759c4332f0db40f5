"""How often the 95 % intervals of MaxBoxAcc cover the truth, beside plain percentile intervals.

    python benchmarks/interval_coverage.py [--trials 400] [--resamples 400]

An image is right for the cuts of an interval of its own, drawn from one of four populations of 60,000
images: accuracy over thresholds is flat, peaked, broad, or broad and low (a strict IoU). The truth is
the accuracy at the population's best threshold. Errors are given on both sides: the interval lies
wholly above, wholly below the truth.
"""

from __future__ import annotations

import argparse

import numpy as np

from wsol.evaluation.bootstrap import interval, replicate
from wsol.scores.curves import Mean
from wsol.scores.metrics.on_boxes import candidate_thresholds
from wsol.scores.threshold_families import MetricFamily

POPULATION = 60_000
CUTS = 256


def population(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Right or not, per image and cut, (60000, 256) bool."""
    normal = rng.normal(size=POPULATION)
    centre, width, spread = {
        "flat": (rng.uniform(20, 220, POPULATION), 4.2, 0.8),
        "peaked": (60 + 25 * normal, 3.6, 0.7),
        "broad": (90 + 50 * normal, 4.3, 0.9),
        "strict": (90 + 50 * normal, 2.5, 1.0),
    }[kind]
    half = np.exp(rng.normal(width, spread, POPULATION)) / 2
    return np.abs(np.arange(CUTS) - centre[:, None]) <= half[:, None]


def measure(right: np.ndarray, n: int, trials: int, resamples: int, rng: np.random.Generator) -> str:
    """One line: coverage, errors above and below, and mean width, ours and plain."""
    truth = 100 * right.mean(axis=0).max()
    misses = np.zeros((2, 2))
    widths = np.zeros(2)
    biases, optimism = [], []
    for _ in range(trials):
        sample = right[rng.integers(0, POPULATION, n)]
        kept = candidate_thresholds(sample)
        family = MetricFamily(kept / CUTS, {"acc": Mean(sample[:, kept], np.arange(n))})
        value = float(family(np.ones((1, n), np.float32))["acc"].values[0])
        draws = replicate([family], n, resamples)["acc"]
        plain = np.quantile(draws.anew, [0.025, 0.975])
        for row, bounds in enumerate((interval(value, draws), plain)):
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
    means = f"bias {np.mean(biases):4.2f} optimism {np.mean(optimism):4.2f}"
    return f"truth {truth:5.2f} {means} | {cells[0]} | plain {cells[1]}"


def main() -> None:
    """Print a line for each size and population."""
    parser = argparse.ArgumentParser(description="Coverage of the intervals of MaxBoxAcc.")
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=400)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    for kind in ("flat", "peaked", "broad", "strict"):
        right = population(kind, rng)
        for n in (250, 1000):
            line = measure(right, n, arguments.trials, arguments.resamples, rng)
            print(f"{kind:<6} {n:>5} {line}", flush=True)


if __name__ == "__main__":
    main()
