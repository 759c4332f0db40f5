"""Time and memory of scoring a folder of score maps, as many as ILSVRC has.

    python benchmarks/fifty_thousand.py METADATA [--images 5000 50000] [--threads 1]

METADATA is a folder with wsolevaluation's image_ids.txt, class_labels.txt, image_sizes.txt and
localization.txt (ILSVRC/test has 1 to 20 boxes an image). Smooth 14 x 14 float32 maps around a true box
are written to a temporary folder first, untimed; each count is then scored by a process of its own, from
the first file to the intervals.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from wsol.evaluation.evaluator import collect, score
from wsol.evaluation.warm_up import warm_up
from wsol.maps.map_folder import MapFolder
from wsol.scores.protocol import protocol_named
from wsol.scores.samples import Annotation

GRID = 14


def read_images(folder: Path, count: int) -> list[Annotation]:
    """The first ``count`` images of a metadata folder."""

    def rows(name: str):
        return (line.split(",") for line in (folder / name).read_text(encoding="utf-8").splitlines())

    labels = {image_id: int(label) for image_id, label in rows("class_labels.txt")}
    boxes = defaultdict(list)
    for image_id, *box in rows("localization.txt"):
        boxes[image_id].append(box)
    found = []
    for image_id, width, height in rows("image_sizes.txt"):
        source = np.array(boxes[image_id], np.float32)
        half_open = source + np.array([0, 0, 1, 1], np.float32)
        size = (int(height), int(width))
        found.append(Annotation(image_id, labels[image_id], size, half_open, source_boxes=source))
        if len(found) == count:
            break
    return found


def write_maps(folder: Path, images: list[Annotation]) -> None:
    """A Gaussian about the first box of each image, displaced and rippled."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:GRID, :GRID] + 0.5
    for image in images:
        height, width = image.size
        x0, y0, x1, y1 = image.boxes[0] / [width, height, width, height] * GRID
        centre = rng.normal([(x0 + x1) / 2, (y0 + y1) / 2], 1.5)
        spread = np.maximum([x1 - x0, y1 - y0], 2) * rng.uniform(0.2, 0.5)
        blob = np.exp(-(((x - centre[0]) / spread[0]) ** 2 + ((y - centre[1]) / spread[1]) ** 2) / 2)
        path = folder / f"{image.image_id}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, (blob + 0.1 * rng.normal(size=blob.shape)).astype(np.float32))


def measure(folder: str, metadata: Path, count: int, threads: int | None) -> None:
    """Score ``count`` images of the folder and print what it took."""
    warm_up()
    images = read_images(metadata, count)
    convention = protocol_named("choe2020")
    started, cpu_before = time.perf_counter(), time.process_time()
    per_image = collect(MapFolder(folder, images), images, convention, threads=threads)
    collected, cpu = time.perf_counter(), time.process_time() - cpu_before
    result = score(per_image, convention)
    ended = time.perf_counter()
    seconds = collected - started
    figures = {
        "maps": len(images),
        "boxes": sum(len(image.boxes) for image in images),
        "seconds": f"{seconds:.1f}",
        "images/s": f"{len(images) / seconds:.0f}",
        "CPU-ms an image": f"{1000 * cpu / len(images):.2f}",
        "seconds for metrics and intervals": f"{ended - collected:.1f}",
        "peak MiB": f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}",
        "MiB of arrays on disk": f"{len(per_image.to_bytes()) / 2**20:.1f}",
        "MaxBoxAccV2": f"{result['max_box_acc_v2']:.2f}",
    }
    print(", ".join(f"{key} {figure}" for key, figure in figures.items()), flush=True)


def main() -> None:
    """Write the maps, then measure each count."""
    parser = argparse.ArgumentParser(description="Time and memory of scoring many score maps.")
    parser.add_argument("metadata", type=Path)
    parser.add_argument("--images", type=int, nargs="+", default=[5000, 50000])
    parser.add_argument("--threads", type=int, default=None, help="default: one a core")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_maps(Path(folder), read_images(arguments.metadata, max(arguments.images)))
        for count in arguments.images:
            # A process of its own: peak memory never falls.
            process = multiprocessing.get_context("spawn").Process(
                target=measure, args=(folder, arguments.metadata, count, arguments.threads)
            )
            process.start()
            process.join()


if __name__ == "__main__":
    main()
