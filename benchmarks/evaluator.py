"""The threshold sweep against one findContours a threshold: same maps, one run, ratios.

    python benchmarks/evaluator.py                    the table (minutes: noise is slow the plain way)
    python benchmarks/evaluator.py --csv table.csv    the same as CSV
    python benchmarks/evaluator.py --verify 5000      every box of random maps against OpenCV's

Milliseconds a map, from the 8-bit map to the best IoU at every threshold: CPU time with one thread,
wall time over maps with more. ``plain`` looks for contours at each threshold, as wsolevaluation
does; ``distinct`` at each of the 256 cuts that can differ; ``max_tree`` is scikit-image's component tree
alone, the nearest thing to install: no holes, polygon areas, boxes or IoU in it.
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from skimage.morphology import max_tree

from wsol.evaluation.contours.iou import (
    Contours,
    best_iou_per_cut,
    best_iou_per_cut_all,
    best_iou_per_cut_single,
    iou_matrix,
)
from wsol.evaluation.contours.sweep import all_contour_boxes, largest_contour_boxes
from wsol.evaluation.score_map import quantise
from wsol.evaluation.threads import in_threads
from wsol.evaluation.warm_up import warm_up
from wsol.scores.thresholds import cuts, thresholds

KINDS = ("7", "14", "28", "noise")


def plain_contours(map_u8: np.ndarray, cut: int) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    """The largest contour's box and all contours' boxes at one cut, half-open pixels, by OpenCV.

    The box is all zeros and the list empty where nothing is above the cut.
    """
    contours = _contours(map_u8, cut)
    if not contours:
        return (0, 0, 0, 0), []
    return _box(max(contours, key=cv2.contourArea)), [_box(contour) for contour in contours]


def _contours(map_u8: np.ndarray, cut: int) -> Sequence[np.ndarray]:
    _, foreground = cv2.threshold(map_u8, cut, 255, cv2.THRESH_BINARY)
    return cv2.findContours(foreground, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0]


def _box(contour: np.ndarray) -> tuple[int, ...]:
    x, y, width, height = cv2.boundingRect(contour)
    return x, y, x + width, y + height


def plain_iou(map_u8: np.ndarray, gt_boxes: np.ndarray, grid: np.ndarray, contours: str) -> np.ndarray:
    """The best IoU at each cut of ``grid``, by one findContours a cut, inclusive as the reference."""
    height, width = map_u8.shape
    best = np.zeros(len(grid))
    for i, cut in enumerate(grid):
        found = _contours(map_u8, int(cut))
        if found and contours == "single":
            found = [max(found, key=cv2.contourArea)]
        boxes = np.array([_box(contour) for contour in found] or [(0, 0, 0, 0)])
        boxes = np.minimum(boxes, [width, height, width - 1, height - 1])
        best[i] = iou_matrix(boxes, gt_boxes, "inclusive").max()
    return best


def make_map(kind: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """An 8-bit map: ``noise``, or normal numbers on a grid of so many cells, resized smoothly."""
    if kind == "noise":
        return rng.integers(0, 256, (size, size)).astype(np.uint8)
    return quantise(rng.normal(size=(int(kind), int(kind))), (size, size))


def odd_maps(n: int, seed: int) -> Iterator[np.ndarray]:
    """Small maps that try every case: noise, plateaus, ties, single pixels, lines, nested holes."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        height, width = rng.integers(1, 33, 2)
        if i % 16 == 0:
            height, width = rng.permutation([1, width])
        shape = (int(height), int(width))
        match i % 7:
            case 0:
                drawn = rng.integers(0, 256, shape)
            case 1:
                drawn = rng.integers(0, rng.integers(2, 6), shape) * 51
            case 2:
                drawn = quantise(rng.normal(size=(5, 5)), shape)
            case 3:
                drawn = (rng.random(shape) < rng.random()) * rng.integers(0, 256, shape)
            case 4:
                drawn = (rng.random(shape) < rng.random() / 4) * 255
            case 5:
                drawn = _rings(shape, rng)
            case _:
                drawn = quantise(rng.normal(size=(4, 4)), shape) // 32 * 32
        yield drawn.astype(np.uint8)


def _rings(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Rectangles drawn over one another, each a random grey: rings, islands in holes, equal areas."""
    drawn = np.zeros(shape, np.uint8)
    for _ in range(rng.integers(1, 12)):
        (x0, x1), (y0, y1) = np.sort(rng.integers(0, shape[1], 2)), np.sort(rng.integers(0, shape[0], 2))
        thickness = -1 if rng.random() < 0.3 else 1
        cv2.rectangle(
            drawn, (int(x0), int(y0)), (int(x1), int(y1)), int(rng.integers(0, 4)) * 85, thickness
        )
    return drawn


def differing_levels(map_u8: np.ndarray) -> tuple[int, int]:
    """At how many of the 256 cuts the largest, and the set of all contours' boxes, differ."""
    largest = largest_contour_boxes(map_u8)
    boxes, first, last = all_contour_boxes(map_u8)
    single = every = 0
    for cut in range(256):
        true_largest, true_all = plain_contours(map_u8, cut)
        single += tuple(largest[cut]) != true_largest
        living = boxes[(first <= cut) & (cut <= last)]
        every += Counter(map(tuple, living.tolist())) != Counter(true_all)
    return single, every


def verify(n: int, seed: int) -> int:
    """Print how many levels of ``n`` random maps differ from OpenCV's; 1 if any does, else 0."""
    differing = np.sum([differing_levels(map_u8) for map_u8 in odd_maps(n, seed)], axis=0)
    print(f"{n} maps, {n * 256} levels: {differing[0]} differ in the largest, {differing[1]} in all")
    return int(differing.any())


def best_time(work: Callable[[], object], repeats: int, threads: int) -> float:
    """The shortest of some runs, in milliseconds."""
    clock = time.process_time if threads == 1 else time.perf_counter
    times = []
    for _ in range(repeats):
        start = clock()
        work()
        times.append(clock() - start)
    return min(times) * 1e3


def measure(kind: str, size: int, contours: Contours, threads: int, seed: int, patience: float) -> dict:
    """One row of the table."""
    rng = np.random.default_rng(seed)
    n = max(2 * threads, 64 * 224**2 // size**2)
    maps = [make_map(kind, size, rng) for _ in range(n)]
    truth = [np.array([[size // 4, size // 5, size * 3 // 4, size * 2 // 3]])] * n
    swept = best_time(lambda: best_iou_per_cut(maps, truth, contours, True, threads), 3, threads) / n
    row = {"kind": kind, "size": size, "contours": contours, "threads": threads, "sweep": swept}

    few = maps[: threads if kind == "noise" or size > 500 else 4 * threads]
    seconds_a_cut = 0.0
    for name, step in (("plain 100", 0.01), ("distinct", None), ("plain 1000", 0.001)):
        grid = cuts(thresholds(step), 255) if step else np.arange(256)
        if seconds_a_cut * len(grid) > patience:
            continue
        plain = partial(plain_iou, gt_boxes=truth[0], grid=grid, contours=contours)
        took = best_time(lambda: list(in_threads(plain, few, threads)), 1, threads)  # noqa: B023
        seconds_a_cut = took / 1e3 / len(grid)
        row[name] = took / len(few)
        row[f"x {name}"] = row[name] / swept
    if threads == 1 and contours == "single":
        row["max_tree"] = best_time(lambda: max_tree(maps[0], connectivity=2), 2, threads)
    return row


def peak_memory(kind: str, size: int, way: str) -> float | None:
    """MiB that one map adds to this process's memory at its peak; None where Linux does not tell."""
    map_u8 = make_map(kind, size, np.random.default_rng(0))
    truth = np.array([[0, 0, size // 2, size // 2]])
    ways = {
        "single": partial(best_iou_per_cut_single, gt_boxes=truth, inclusive=True),
        "all": partial(best_iou_per_cut_all, gt_boxes=truth, inclusive=True),
        "plain": partial(plain_iou, gt_boxes=truth, grid=np.arange(0, 256, 25), contours="all"),
    }
    ways[way](np.ascontiguousarray(map_u8[:20, :20]))  # what loading the kernels takes is no map's
    try:
        ctypes.CDLL(None).malloc_trim(0)  # or the map would lie in what importing left free
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    except (OSError, AttributeError):
        return None
    before = _status_mib("VmRSS")
    ways[way](map_u8)
    return _status_mib("VmHWM") - before


def _status_mib(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def memory_rows(sizes: list[int]) -> list[dict]:
    """Peak memory a map, each figure from a process of its own."""
    rows = []
    for kind in ("14", "noise"):
        for size in sizes:
            row: dict = {"kind": kind, "size": size}
            for way in ("single", "all", "plain"):
                with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                    row[f"{way} MiB"] = pool.submit(peak_memory, kind, size, way).result()
            rows.append(row)
    return rows


def show(title: str, rows: list[dict]) -> None:
    """Print rows as a table, blank where a figure was not taken."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(*names, title=title)
    for row in rows:
        table.add_row(*(_figure(row.get(name)) for name in names))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _figure(value: object) -> str:
    if not isinstance(value, float):
        return "" if value is None else str(value)
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def main() -> int:
    """Run what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--verify", type=int, metavar="MAPS", help="compare every box with OpenCV's instead"
    )
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[224, 448, 1024])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument(
        "--patience", type=float, default=40, help="seconds that one plain figure may take"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv", help="write the timings to this file too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.verify:
        return verify(options.verify, options.seed)
    warm_up()
    rows = [
        measure(kind, size, contours, threads, options.seed, options.patience)
        for size in options.sizes
        for kind in options.kinds
        for contours in get_args(Contours)
        for threads in options.threads
    ]
    show("milliseconds a map; x: how many times the sweep's", rows)
    show("peak memory one map adds", memory_rows(options.sizes))
    if options.csv:
        with Path(options.csv).open("w", newline="", encoding="utf-8") as file:
            names = list(dict.fromkeys(name for row in rows for name in row))
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
